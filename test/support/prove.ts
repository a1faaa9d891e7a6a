/** Runs `npm run prove` in smoke size, as a test does: the proof must hold, its control must not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ProofName } from "../proof/targets.ts";
import { runProgram, type ProgramEnd } from "./run-program.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const timeoutMs = 120_000;

export function prove(...words: readonly string[]): Promise<ProgramEnd> {
  const args = ["--import", "tsx", "scripts/prove.ts", ...words];
  return runProgram(process.execPath, args, { cwd: root, timeoutMs });
}

/** Two tests: the proof holds in smoke size, and falls short with its fault planted. */
export function testProof(name: ProofName): void {
  test(`${name} holds in smoke size`, async () => {
    const { code, output } = await prove(name, "--smoke");
    assert.equal(code, 0, output);
  });

  test(`${name} falls short when its fault is planted`, async () => {
    const { code, output } = await prove(name, "--smoke", "--control");
    assert.equal(code, 1, output);
    assert.match(output, /falls short/);
  });
}
