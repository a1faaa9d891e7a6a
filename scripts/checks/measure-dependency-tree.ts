/**
 * What a user installs with this package: the packages that the lockfile does not mark as `dev`,
 * and their size on disk. Optional packages (prebuilt binaries for one kind of machine) are left
 * out, so that the figure is the same everywhere.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

export interface DependencyTree {
  readonly directCount: number;
  readonly packageCount: number;
  readonly bytes: number;
}

interface Lockfile {
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** Reads `package-lock.json` and the installed files under `root`. */
export function measureDependencyTree(root: string): DependencyTree {
  const text = readFileSync(path.join(root, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(text) as Lockfile;
  const installed = Object.entries(packages)
    .filter(([folder, entry]) => folder !== "" && isRuntime(entry))
    .map(([folder]) => folder);
  return {
    directCount: Object.keys(packages[""]?.dependencies ?? {}).length,
    packageCount: installed.length,
    bytes: installed.reduce((sum, folder) => sum + folderBytes(path.join(root, folder)), 0),
  };
}

function isRuntime(entry: LockedPackage): boolean {
  const isForSome = entry.dev ?? entry.optional ?? entry.devOptional ?? entry.peer ?? false;
  return !isForSome;
}

/** Nested `node_modules` are packages of their own. */
function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + folderBytes(full);
    return entry.isFile() ? sum + statSync(full).size : sum;
  }, 0);
}
