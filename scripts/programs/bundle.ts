/**
 * Programs of this repository as plain JavaScript, for the processes that others start: a node is
 * ready in a third of the time that it takes under tsx, and runs without the code that tsx's loader
 * puts around every inner function.
 */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import esbuild, { type OutputFile, type Plugin } from "esbuild";
import { repositoryRoot, sourceFiles } from "../checks/source-files.ts";

const dayMs = 86_400_000;

/** A bundle finds files beside its source, not beside itself. */
const define = { "import.meta.url": "ownUrl_", "import.meta.dirname": "ownFolder_" };
const asFromItsSource: Plugin = {
  name: "as from its source",
  setup: (hooks) => {
    hooks.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const ownUrl = JSON.stringify(pathToFileURL(file).href);
      const ownFolder = JSON.stringify(path.dirname(file));
      const text = await readFile(file, "utf8");
      // On the first line, so that lines keep their numbers.
      const contents = `const ownUrl_ = ${ownUrl}, ownFolder_ = ${ownFolder};${text}`;
      return { contents, loader: "ts" };
    });
  },
};

/**
 * Bundles TypeScript files of a checkout, which share the modules that they have in common, and
 * resolves with the paths of their bundles, in the same order. It is done once for the same files and
 * the same sources, by any number of processes at the same time; what nobody used for a day is removed.
 * @param root of the checkout, where the packages are that stay outside of the bundles
 * @throws Error that says which file cannot be read or parsed
 */
export async function bundle(files: readonly string[], root = repositoryRoot): Promise<string[]> {
  const store = path.join(root, ".cache", "programs");
  const folder = path.join(store, hashOfSources(files, root));
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    write(folder, await build(files, root));
    removeUnused(store);
  }
  const now = new Date();
  utimesSync(folder, now, now);
  return files.map((_, i) => path.join(folder, `${nameOf(i)}.mjs`));
}

/** Of the text of `files`, wherever they are, and the times of whatever else they may import. */
function hashOfSources(files: readonly string[], root: string): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(path.resolve(root, file)));
  const sources = sourceFiles(root, [".ts", ".mjs"]);
  for (const file of ["package.json", "package-lock.json", "tsconfig.json", ...sources]) {
    const { mtimeMs = 0, size = 0 } =
      statSync(path.join(root, file), { throwIfNoEntry: false }) ?? {};
    hash.update(`${file} ${String(mtimeMs)} ${String(size)}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

async function build(files: readonly string[], root: string): Promise<readonly OutputFile[]> {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: files.map((file, i) => ({ in: path.resolve(root, file), out: nameOf(i) })),
    plugins: [asFromItsSource],
    define,
    // As deep as the folder that it will be in, for the paths in source maps.
    outdir: path.join(root, ".cache", "programs", "bundle"),
    write: false,
    bundle: true,
    splitting: true,
    packages: "external",
    tsconfig: path.join(root, "tsconfig.json"),
    platform: "node",
    format: "esm",
    target: "node20.19",
    sourcemap: "inline",
    sourcesContent: false,
    outExtension: { ".js": ".mjs" },
    logLevel: "silent",
  });
  return outputFiles;
}

/** Sorted by name they are in their order. */
function nameOf(index: number): string {
  return String(index).padStart(4, "0");
}

/** In one step, so that nobody sees a folder that is half full. */
function write(folder: string, files: readonly OutputFile[]): void {
  const draft = `${folder}.${String(process.pid)}`;
  mkdirSync(draft, { recursive: true });
  for (const file of files)
    writeFileSync(path.join(draft, path.basename(file.path)), file.contents);
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another process wrote the same meanwhile.
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) throw error;
  }
}

function removeUnused(store: string): void {
  for (const name of readdirSync(store)) {
    const folder = path.join(store, name);
    const usedAt = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (usedAt < Date.now() - dayMs) rmSync(folder, { recursive: true, force: true });
  }
}
