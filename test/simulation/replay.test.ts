import assert from "node:assert/strict";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { simulate } from "../../src/testing/simulation/simulation.ts";
import { runProgram } from "../support/run-program.ts";

async function hashInAnotherProcess(seed: number): Promise<string> {
  const [script = ""] = await bundle(["scripts/simulate.ts"]);
  const args = [script, "--seed", String(seed)];
  const options = { cwd: repositoryRoot, timeoutMs: 120_000 };
  const { code, output } = await runProgram(process.execPath, args, options);
  assert.equal(code, 0, output);
  const hash = /transcript ([0-9a-f]{16})/.exec(output)?.[1];
  assert.ok(hash !== undefined, output);
  return hash;
}

async function hashHere(seed: number): Promise<string> {
  return (await simulate(seed)).report.hash;
}

test("a seed is replayed message by message in another process", async () => {
  const first = await hashHere(10);
  assert.equal(await hashInAnotherProcess(10), first);
  assert.notEqual(await hashHere(16), first);
});
