/** The files that Node's runner is given, one a process: it runs what has a path of its own. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../checks/source-files.ts";
import { bundle } from "../programs/bundle.ts";

export interface Entry {
  readonly path: string;
  /** Written by `run-test-files.ts`. */
  readonly noteFile: string;
}

const runner = path.join(repositoryRoot, "scripts/testing/run-test-files.ts");

/**
 * Writes an entry for each row of test files and bundles them all; Node's runner takes the bundles
 * in the order of the rows. `folder` is also for their notes, as `notesVariable` has to tell them.
 * @throws Error that says which file cannot be read or parsed
 */
export async function writeEntries(
  folder: string,
  rows: readonly (readonly string[])[],
): Promise<Entry[]> {
  const entryFile = (i: number) => path.join(folder, `${i}.ts`);
  rows.forEach((files, i) => {
    writeFileSync(entryFile(i), entryText(files, `${i}.note`));
  });
  const bundles = await bundle(rows.map((_, i) => entryFile(i)));
  return bundles.map((file, i) => ({ path: file, noteFile: path.join(folder, `${i}.note`) }));
}

function entryText(files: readonly string[], noteName: string): string {
  const loads = files.map((file) => {
    const full = path.join(repositoryRoot, file);
    return `  ${JSON.stringify(file)}: () => import(${JSON.stringify(full)}),\n`;
  });
  return (
    `import { runTestFiles } from ${JSON.stringify(runner)};\n` +
    `runTestFiles({\n${loads.join("")}}, ${JSON.stringify(noteName)});\n`
  );
}

/** The test files whose processes have been started and have not ended well. */
export function unendedFiles(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ noteFile }) => existsSync(noteFile))
    .map(({ noteFile }) => readFileSync(noteFile, "utf8"));
}
