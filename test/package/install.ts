/** An empty project of a user, with the packed package and its peer installed by npm. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { runNode, runNpm } from "../support/run-command.ts";

const compiler = path.join(repositoryRoot, "node_modules/typescript/bin/tsc");
const installArgs = ["--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];

/** Makes `folder` a project that has `tarball` and the peer dependencies installed. */
export async function install(folder: string, tarball: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeJson(path.join(folder, "package.json"), { name: "user", private: true, type: "module" });
  await runNpm(["install", ...installArgs, tarball, ...peers()], { cwd: folder });
}

function peers(): string[] {
  const text = readFileSync(path.join(repositoryRoot, "package.json"), "utf8");
  const { peerDependencies } = JSON.parse(text) as { peerDependencies: Record<string, string> };
  return Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`);
}

/** As strict as TypeScript can be, declarations of the package included. */
const userOptions = {
  target: "ES2023",
  lib: ["ES2023", "ESNext.Disposable"],
  module: "NodeNext",
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noPropertyAccessFromIndexSignature: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  skipLibCheck: false,
  types: ["node"],
};

/** TypeScript's own declarations, such as all of the DOM, are not what is looked at. */
const givens = {
  typeRoots: [path.join(repositoryRoot, "node_modules/@types")],
  skipDefaultLibCheck: true,
};

/**
 * Compiles all of `source`, a folder of an installed project, to JavaScript beside them: what
 * Node.js 20 can run. `options` replace those above.
 * @throws what the compiler complained of
 */
export async function compile(source: string, options: object = {}): Promise<void> {
  await compileAs(source, { ...userOptions, ...options });
}

/** As `compile`, with these options; `@types/node` is where this repository has it. */
export async function compileAs(source: string, options: object): Promise<void> {
  const compilerOptions = { ...options, ...givens };
  writeJson(path.join(source, "tsconfig.json"), { compilerOptions, include: ["**/*.ts"] });
  // So short a run ends before optimized code has paid for itself: without it takes a third less.
  await runNode(["--no-opt", compiler, "-p", source], { cwd: source });
}

function writeJson(file: string, content: unknown): void {
  writeFileSync(file, JSON.stringify(content, undefined, 2));
}
