/** The files that people write: everything in these folders but what tools produce. */
import { readdirSync } from "node:fs";
import path from "node:path";

export const repositoryRoot = path.resolve(import.meta.dirname, "../..");

const folders = ["src", "test", "bench", "scripts", "examples"];
const producedFolders = new Set(["node_modules", "dist", "coverage", "results"]);

/** Paths from the root, with forward slashes, sorted. */
export function sourceFiles(root: string, endings: readonly string[]): string[] {
  return folders
    .flatMap((folder) => filesIn(path.join(root, folder)))
    .filter((file) => endings.some((ending) => file.endsWith(ending)))
    .map((file) => path.relative(root, file).split(path.sep).join("/"))
    .sort();
}

function filesIn(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) return producedFolders.has(entry.name) ? [] : filesIn(full);
    return [full];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
