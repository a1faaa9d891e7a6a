/**
 * The files beside this one are tests for the compiler: what must compile, and after
 * `@ts-expect-error` what must not. `npm run types` checks them with everything else; this runs
 * them with the other tests, and sees that the compiler would have noticed.
 */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ts from "typescript";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

const host: ts.ParseConfigFileHost = {
  ...ts.sys,
  onUnRecoverableConfigFileDiagnostic(diagnostic) {
    throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"));
  },
};
const config = ts.getParsedCommandLineOfConfigFile(
  path.join(repositoryRoot, "tsconfig.json"),
  {},
  host,
);
assert.ok(config !== undefined);
const { options } = config;

const files = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith(".test-d.ts"))
  .map((name) => path.join(import.meta.dirname, name));

function complaints(program: ts.Program, file: string): string[] {
  const source = program.getSourceFile(file);
  assert.ok(source !== undefined, `${file} is part of the program`);
  return [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source),
  ].map(({ start, messageText }) => {
    const { line } = source.getLineAndCharacterOfPosition(start ?? 0);
    return `line ${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

test("there are type tests", () => {
  assert.ok(files.length > 0);
});

const program = ts.createProgram(files, options);
for (const file of files) {
  test(`${path.basename(file)} compiles, and every misuse in it does not`, () => {
    assert.deepEqual(complaints(program, file), []);
  });
}

test("a misuse that compiles would be noticed", () => {
  const planted = path.join(import.meta.dirname, "planted.test-d.ts");
  const text = "// @ts-expect-error planted: this is no misuse\nexport const fine: number = 1;\n";
  const compilerHost = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = compilerHost;
  const probe = ts.createProgram([planted], options, {
    ...compilerHost,
    fileExists: (name) => name === planted || fileExists(name),
    readFile: (name) => (name === planted ? text : readFile(name)),
    getSourceFile: (name, languageVersion, ...rest) =>
      name === planted
        ? ts.createSourceFile(name, text, languageVersion)
        : getSourceFile(name, languageVersion, ...rest),
  });
  assert.deepEqual(complaints(probe, planted), ["line 1: Unused '@ts-expect-error' directive."]);
});
