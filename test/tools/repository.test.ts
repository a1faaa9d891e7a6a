/** What must hold for the repository as it is cloned, on any machine. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import {
  missingOptionalPackages,
  type Lockfile,
} from "../../scripts/checks/missing-optional-packages.ts";
import { repositoryRoot, sourceFiles } from "../../scripts/checks/source-files.ts";

const texts = [".ts", ".js", ".mjs", ".cjs", ".json", ".md", ".html", ".css", ".sh", ".yml"];

/** Everything that people write, besides the code: the files at the root, `docs/` and `.ci/`. */
function writtenFiles(): string[] {
  const around = [".", "docs", ".ci", "deploy"].flatMap((folder) => {
    const entries = tryRead(path.join(repositoryRoot, folder));
    return entries.filter((e) => e.isFile()).map((e) => path.join(folder, e.name));
  });
  return [...around, ...sourceFiles(repositoryRoot, texts)];
}

function tryRead(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

function read(file: string): string {
  return readFileSync(path.join(repositoryRoot, file), "utf8");
}

test("the lockfile names no download address, so that any registry will do", () => {
  const { packages } = JSON.parse(read("package-lock.json")) as Lockfile;
  const installed = Object.entries(packages).filter(([name]) => name !== "");
  assert.ok(installed.length > 0);
  for (const [name, { resolved, integrity, optional }] of installed) {
    assert.equal(resolved, undefined, `${name} is resolved to ${String(resolved)}`);
    assert.ok(integrity !== undefined || optional === true, `${name} has no integrity`);
  }
  assert.doesNotMatch(read("package-lock.json"), /"resolved"/);
  assert.match(read(".npmrc"), /^omit-lockfile-registry-resolved=true$/m);
});

test("the lockfile names the optional packages of all platforms, or npm ci refuses it", () => {
  const lockfile = JSON.parse(read("package-lock.json")) as Lockfile;
  assert.deepEqual(missingOptionalPackages(lockfile), {}, "run scripts/complete-lockfile.ts");
  delete lockfile.packages["node_modules/@esbuild/darwin-arm64"];
  assert.deepEqual(Object.keys(missingOptionalPackages(lockfile)), [
    "node_modules/@esbuild/darwin-arm64",
  ]);
});

test("no file names a path of one person's machine", () => {
  // In pieces, so that this file is not its own finding.
  const homes = ["home", "Users", "root", "work", "mnt", "workspace"].join("|");
  const machinePath = new RegExp(`(^|[\\s"'\`(=])/(${homes})/[\\w.-]+`, "m");
  const files = writtenFiles();
  assert.ok(files.includes("package.json") && files.includes(path.join(".ci", "run")));
  for (const file of files) {
    const match = machinePath.exec(read(file));
    assert.equal(match, null, `${file} names ${String(match?.[0].trim())}`);
  }
});

test("no file is called index", () => {
  assert.deepEqual(
    sourceFiles(repositoryRoot, texts).filter((file) => /(^|\/)index\.[cm]?[jt]s$/.test(file)),
    [],
  );
});

test("every script of package.json names files that exist", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const files = Object.values(scripts).flatMap(
    (text) => text.match(/[\w./-]+\.(ts|mjs|json)\b/g) ?? [],
  );
  for (const file of files) assert.ok(read(file).length > 0);
});

test("yjs is the user's: a peer, and installed here only for development", () => {
  const manifest = JSON.parse(read("package.json")) as Record<
    "dependencies" | "devDependencies" | "peerDependencies",
    Record<string, string>
  >;
  assert.equal(manifest.dependencies["yjs"], undefined);
  assert.equal(manifest.devDependencies["yjs"], manifest.peerDependencies["yjs"]);
});
