/**
 * The packed package and a project that has it installed, made once for each content of the sources:
 * building, packing and installing takes ten seconds, and several test files of one run want it.
 *
 *   node_modules/.cache/latticework-package/<hash of what it is made of>/pack   what was packed
 *                                                                       /user   the user's project
 *
 * Nobody writes in there: each takes a copy of the project. An entry is made beside its place and renamed when it is
 * whole, so that an interrupted run leaves none that others would trust.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repositoryRoot, sourceFiles } from "../../scripts/checks/source-files.ts";
import { install } from "./install.ts";
import { pack, packedRootFiles, type Tarball } from "./pack.ts";

export interface PackedPackage {
  /** The folder that was packed. It may be shared: only to be read. */
  readonly folder: string;
  readonly tarball: string;
  /** Paths inside the tarball. */
  readonly files: readonly string[];
}

type WithLock = (
  file: string,
  waiting: (pid: number) => void,
  work: () => Promise<void>,
) => Promise<void>;
/** The launcher's own, which is plain JavaScript without declarations. */
const { withLock } = (await import(
  new URL("../../scripts/launch/lock.mjs", import.meta.url).href
)) as { readonly withLock: WithLock };

const cacheFolder = path.join(repositoryRoot, "node_modules/.cache/latticework-package");
const lockFile = path.join(cacheFolder, "lock");
/** That of the present sources, and that of those before, which another run may be copying. */
const entriesKept = 2;
const draftPrefix = "draft-";
const tarballFile = "tarball.json";
const userFolder = "user";

/** Puts a project that has the package installed into `folder`, an empty one, as `user`. */
export async function copyPackedProject(folder: string): Promise<PackedPackage> {
  const entry = await upToDateEntry();
  const copied = { recursive: true, verbatimSymlinks: true };
  cpSync(path.join(entry, userFolder), path.join(folder, userFolder), copied);
  return packedIn(entry);
}

/** As `copyPackedProject`, but builds, packs and installs, whatever there is already. */
export function makePackedProject(folder: string): Promise<PackedPackage> {
  return makeProject(folder, true);
}

async function makeProject(folder: string, anew: boolean): Promise<PackedPackage> {
  const packFolder = path.join(folder, "pack");
  mkdirSync(packFolder, { recursive: true });
  const tarball = await pack(packFolder, anew);
  writeFileSync(path.join(folder, tarballFile), JSON.stringify(tarball));
  const packed = packedIn(folder);
  await install(path.join(folder, userFolder), packed.tarball);
  return packed;
}

function packedIn(root: string): PackedPackage {
  const text = readFileSync(path.join(root, tarballFile), "utf8");
  const { name, files } = JSON.parse(text) as Tarball;
  const folder = path.join(root, "pack");
  return { folder, tarball: path.join(folder, name), files };
}

async function upToDateEntry(): Promise<string> {
  for (;;) {
    const entry = path.join(cacheFolder, hashOfSources());
    if (!existsSync(entry))
      await withLock(
        lockFile,
        () => undefined,
        () => make(entry),
      );
    // Sources that change meanwhile are those of nobody's entry: make that of the new ones.
    if (existsSync(entry)) return entry;
  }
}

/** Makes nothing when another run has made it while this one waited for the lock. */
async function make(entry: string): Promise<void> {
  if (existsSync(entry)) return;
  const draft = path.join(cacheFolder, `${draftPrefix}${String(process.pid)}`);
  try {
    await makeProject(draft, false);
    if (hashOfSources() !== path.basename(entry)) return;
    const now = new Date();
    utimesSync(draft, now, now);
    renameSync(draft, entry);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  removeOld();
}

/** Under the lock: drafts that are there now are those of interrupted runs. */
function removeOld(): void {
  const folders = readdirSync(cacheFolder, { withFileTypes: true })
    .filter((file) => file.isDirectory())
    .map(({ name }) => ({ name, madeAt: statSync(path.join(cacheFolder, name)).mtimeMs }))
    .sort((a, b) => b.madeAt - a.madeAt);
  const isDraft = ({ name }: { readonly name: string }): boolean => name.startsWith(draftPrefix);
  const entries = folders.filter((folder) => !isDraft(folder));
  for (const { name } of [...folders.filter(isDraft), ...entries.slice(entriesKept)]) {
    rmSync(path.join(cacheFolder, name), { recursive: true, force: true });
  }
}

/** Of all that decides what is packed and installed, and of the code that does it. */
function hashOfSources(): string {
  const files = [
    ...packedRootFiles,
    ...["package-lock.json", "tsconfig.json", "src/tsconfig.json"],
    ...["test/package/pack.ts", "test/package/install.ts", "test/package/packed-project.ts"],
    ...sourceFiles(repositoryRoot, [".ts"]).filter((file) => file.startsWith("src/")),
  ];
  const hash = createHash("sha256");
  for (const file of files) {
    const text = readFileSync(path.join(repositoryRoot, file));
    hash.update(`${file}\0${String(text.length)}\0`).update(text);
  }
  return hash.digest("hex").slice(0, 32);
}
