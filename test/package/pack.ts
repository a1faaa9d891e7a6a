/**
 * Builds and packs the package as a release would, in a folder of its own: not from `dist/`, which
 * may be older than the sources, and not into it, which others may be reading.
 */
import { cpSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { runNode, runNpm } from "../support/run-command.ts";

const compiler = path.join(repositoryRoot, "node_modules/typescript/bin/tsc");
/** What npm takes from the root; `files` in package.json decides about the rest. */
export const packedRootFiles = ["package.json", "README.md", "CHANGELOG.md", "LICENSE"];

export interface Tarball {
  /** Its name in the folder that was packed. */
  readonly name: string;
  /** Paths inside. */
  readonly files: readonly string[];
}

/** Packs into `folder`, which must be empty. */
export async function pack(folder: string): Promise<Tarball> {
  for (const file of packedRootFiles)
    cpSync(path.join(repositoryRoot, file), path.join(folder, file));
  const outDir = path.join(folder, "dist");
  await runNode([compiler, "-p", "src", "--outDir", outDir], { cwd: repositoryRoot });
  const printed = await runNpm(["pack", "--ignore-scripts", "--json"], { cwd: folder });
  const [packed] = JSON.parse(printed) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error(`npm pack made no tarball in ${folder}`);
  const files = packed.files.map((file) => file.path);
  return { name: packed.filename, files };
}
