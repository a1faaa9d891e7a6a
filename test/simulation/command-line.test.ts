/** The command lines of the simulator and of the mutants. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { runProgram, type ProgramEnd } from "../support/run-program.ts";

const timeoutMs = 60_000;

async function run(program: string, ...words: readonly string[]): Promise<ProgramEnd> {
  const [script = ""] = await bundle([`scripts/${program}`]);
  return runProgram(process.execPath, [script, ...words], { cwd: repositoryRoot, timeoutMs });
}

for (const script of ["simulate.ts", "mutants.ts"]) {
  test(`${script} --help tells options, defaults, examples and exit codes`, async () => {
    const { code, output } = await run(script, "--help");
    assert.equal(code, 0);
    assert.match(output, /--seeds N .*\n/);
    assert.match(output, /\(default \d+\)/);
    assert.match(output, /Examples:\n {2}npm run /);
    assert.match(output, /Exit codes: 0 /);
  });

  test(`${script} refuses an option that does not exist, and a number that is none`, async () => {
    const unknown = await run(script, "--sedes", "5");
    assert.equal(unknown.code, 2);
    assert.match(unknown.output, /✖ .*--sedes/);
    const none = await run(script, "--seeds", "many");
    assert.equal(none.code, 2);
    assert.match(none.output, /✖ --seeds takes a whole number from 1, not many/);
  });
}

test("mutants.ts refuses a name that does not exist, and lists those that do", async () => {
  const unknown = await run("mutants.ts", "unoin-of-copies");
  assert.equal(unknown.code, 2);
  assert.match(unknown.output, /no mutant is called unoin-of-copies; there are .*union-of-copies/);
  const list = await run("mutants.ts", "--list");
  assert.equal(list.code, 0);
  assert.match(list.output, /^union-of-copies: A new primary keeps/m);
});
