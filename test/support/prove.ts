/** Runs `npm run prove` in smoke size, as a test does: the proof must hold, its control must not. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { bundle } from "../../scripts/programs/bundle.ts";
import type { ProofName } from "../proof/targets.ts";
import { runProgram, type ProgramEnd } from "./run-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const timeoutMs = 120_000;

export async function prove(...words: readonly string[]): Promise<ProgramEnd> {
  const [script = ""] = await bundle(["scripts/prove.ts"]);
  const args = ["--enable-source-maps", script, ...words];
  return runProgram(process.execPath, args, { cwd: root, timeoutMs });
}

/** The proof holds in smoke size. */
export async function assertHolds(name: ProofName): Promise<void> {
  const { code, output } = await prove(name, "--smoke");
  assert.equal(code, 0, output);
}

/** With its fault planted it falls short, and does not merely break down. */
export async function assertFallsShort(name: ProofName): Promise<void> {
  const { code, output } = await prove(name, "--smoke", "--control");
  assert.equal(code, 1, output);
  assert.match(output, /falls short/);
}
