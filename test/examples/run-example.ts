/** Runs the `main.ts` of an example as its reader does, and returns what it printed. */
import assert from "node:assert/strict";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { runProgram } from "../support/run-program.ts";

const timeoutMs = 60_000;

export async function runExample(name: string): Promise<string> {
  const [script = ""] = await bundle([`examples/${name}/main.ts`]);
  const args = ["--enable-source-maps", script];
  const { code, output } = await runProgram(process.execPath, args, {
    cwd: repositoryRoot,
    timeoutMs,
  });
  assert.equal(code, 0, output);
  return output;
}
