/** The files that Node's runner is given, one a process: it runs what has a path of its own. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Entry {
  readonly path: string;
  /** Written by `run-test-files.ts`. */
  readonly noteFile: string;
}

const runner = new URL("./run-test-files.ts", import.meta.url).href;

/** Writes an entry for each row of test files, numbered: Node's runner takes them by name. */
export function writeEntries(folder: string, rows: readonly (readonly string[])[]): Entry[] {
  return rows.map((files, i) => {
    const [first = ""] = files;
    const name = path.basename(first).replaceAll(".", "-");
    const base = path.join(folder, `${String(i).padStart(4, "0")}-${name}`);
    const entry = { path: `${base}.mjs`, noteFile: `${base}.note` };
    const call = `runTestFiles(${JSON.stringify(files)}, ${JSON.stringify(entry.noteFile)});`;
    writeFileSync(entry.path, `import { runTestFiles } from ${JSON.stringify(runner)};\n${call}\n`);
    return entry;
  });
}

/** The test files whose processes have been started and have not ended well. */
export function unendedFiles(entries: readonly Entry[]): string[] {
  return entries
    .filter(({ noteFile }) => existsSync(noteFile))
    .map(({ noteFile }) => readFileSync(noteFile, "utf8"));
}
