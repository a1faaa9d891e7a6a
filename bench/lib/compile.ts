/**
 * Makes JavaScript of `src/` and `bench/` for the processes that are measured, exactly as `npm run
 * build` does file by file. Under tsx they would be measured with its loader's extra code around
 * every inner function, which is not what users run. Only what changed is made anew, and what `npm
 * run build` has made is taken over.
 */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import ts from "typescript";
import { needsBuild } from "../../scripts/launch/staleness.mjs";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

const outputRoot = path.join(repositoryRoot, "node_modules/.cache/latticework-bench");
const sourceFolders = ["src", "bench"];
const packageFolder = `src${path.sep}`;

/** Returns where the JavaScript of a file of the repository is. */
export function compiledPath(file: string): string {
  return path.join(outputRoot, file.replace(/\.ts$/, ".js"));
}

/** Brings all of the JavaScript up to date; about two seconds the first time. */
export function compile(): void {
  mkdirSync(outputRoot, { recursive: true });
  replaceFile(path.join(outputRoot, "package.json"), JSON.stringify({ type: "module" }));
  const options = compilerOptions();
  const isBuilt = !needsBuild(repositoryRoot);
  for (const folder of sourceFolders) {
    for (const file of typeScriptFiles(folder)) compileFile(file, options, isBuilt);
  }
}

function compileFile(file: string, options: ts.CompilerOptions, isBuilt: boolean): void {
  const source = path.join(repositoryRoot, file);
  const output = compiledPath(file);
  // An output bears the time of what it was made of: its own would be later than a source that
  // changed after it was read.
  const { mtimeMs } = statSync(source);
  const made = statSync(output, { throwIfNoEntry: false });
  if (made !== undefined && Math.abs(made.mtimeMs - mtimeMs) < 1) return;
  mkdirSync(path.dirname(output), { recursive: true });
  replaceFile(output, (isBuilt ? builtText(file) : undefined) ?? transpiled(source, options));
  utimesSync(output, mtimeMs / 1_000, mtimeMs / 1_000);
}

/** `undefined` for what is no part of the package. */
function builtText(file: string): string | undefined {
  if (!file.startsWith(packageFolder)) return undefined;
  const built = path.join("dist", file.slice(packageFolder.length).replace(/\.ts$/, ".js"));
  return readFileSync(path.join(repositoryRoot, built), "utf8");
}

function transpiled(source: string, compilerOptions: ts.CompilerOptions): string {
  const text = readFileSync(source, "utf8");
  return ts.transpileModule(text, { compilerOptions, fileName: source }).outputText;
}

function compilerOptions(): ts.CompilerOptions {
  const config = path.join(repositoryRoot, "src/tsconfig.json");
  const read = ts.readConfigFile(config, (name) => readFileSync(name, "utf8"));
  const raw: unknown = read.config;
  const { error } = read;
  if (error !== undefined) throw new Error(ts.flattenDiagnosticMessageText(error.messageText, " "));
  const parsed = ts.parseJsonConfigFileContent(raw, ts.sys, path.dirname(config));
  // One file alone does not know the package's type, from which NodeNext concludes ESM.
  const { ESNext: module } = ts.ModuleKind;
  return { ...parsed.options, module, sourceMap: false, inlineSourceMap: true };
}

function typeScriptFiles(folder: string): string[] {
  return readdirSync(path.join(repositoryRoot, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => path.join(folder, name));
}

/** At once, so that another run that reads it sees the old or the new one. */
function replaceFile(file: string, text: string): void {
  const draft = `${file}.${String(process.pid)}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}
