/** Runs proofs in smoke size, as tests do: a proof must hold, and its control must not. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { resultOf, type Proof } from "../proof/proof.ts";
import type { ProofName } from "../proof/targets.ts";
import { runProgram, type ProgramEnd } from "./run-program.ts";

const timeoutMs = 120_000;

/** `npm run prove` with these words. */
export async function prove(...words: readonly string[]): Promise<ProgramEnd> {
  const [script = ""] = await bundle(["scripts/prove.ts"]);
  const args = ["--enable-source-maps", script, ...words];
  return runProgram(process.execPath, args, { cwd: repositoryRoot, timeoutMs });
}

/** The proof holds in smoke size. */
export async function assertHolds(name: ProofName): Promise<void> {
  const { result, report } = await smoke(name, false);
  assert.equal(result, "holds", report);
}

/** With its fault planted it falls short, and does not merely break down. */
export async function assertFallsShort(name: ProofName): Promise<void> {
  const { result, report } = await smoke(name, true);
  assert.equal(result, "falls short", report);
}

/** What `npm run prove -- NAME --smoke` does, in this process. */
async function smoke(name: ProofName, control: boolean) {
  const { proof } = (await import(`../proof/${name}.ts`)) as { readonly proof: Proof };
  const said: string[] = [];
  const say = (text: string): void => void said.push(text);
  const verdict = await proof.run({ control, smoke: true, runs: 1, say });
  return { result: resultOf(verdict), report: `${said.join("\n")}\n${inspect(verdict)}` };
}
