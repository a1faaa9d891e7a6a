/**
 * Builds and packs the package as a release would, in a folder of its own: others may be reading
 * `dist/`. What `npm test` has just built there may be taken, but for what is left of files whose
 * source is gone.
 */
import { cpSync } from "node:fs";
import path from "node:path";
import { repositoryRoot, sourceFiles } from "../../scripts/checks/source-files.ts";
import { needsBuild } from "../../scripts/launch/staleness.mjs";
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

/**
 * Packs into `folder`, which must be empty.
 * @param anew builds although `dist/` is no older than the sources
 */
export async function pack(folder: string, anew: boolean): Promise<Tarball> {
  for (const file of packedRootFiles)
    cpSync(path.join(repositoryRoot, file), path.join(folder, file));
  const outDir = path.join(folder, "dist");
  if (anew || needsBuild(repositoryRoot)) {
    await runNode([compiler, "-p", "src", "--outDir", outDir], { cwd: repositoryRoot });
  } else copyBuild(outDir);
  const printed = await runNpm(["pack", "--ignore-scripts", "--json"], { cwd: folder });
  const [packed] = JSON.parse(printed) as { filename: string; files: { path: string }[] }[];
  if (packed === undefined) throw new Error(`npm pack made no tarball in ${folder}`);
  const files = packed.files.map((file) => file.path);
  return { name: packed.filename, files };
}

/** Each file of `dist/` that has a source. */
function copyBuild(outDir: string): void {
  for (const source of sourceFiles(repositoryRoot, [".ts"])) {
    if (!source.startsWith("src/")) continue;
    const name = source.slice("src/".length, -".ts".length);
    for (const end of [".js", ".d.ts"]) {
      cpSync(path.join(repositoryRoot, "dist", name + end), path.join(outDir, name + end));
    }
  }
}
