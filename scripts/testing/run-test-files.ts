/**
 * What a process of a test run does: imports its test files, each inside a suite that bears the
 * file's path, so that hooks of a file hold for that file alone and every outcome has a file.
 */
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe } from "node:test";

/** Test files by their path from the root, each to be imported at most once. */
export type TestFiles = Readonly<Record<string, () => Promise<unknown>>>;

/** The environment's name for the folder of notes. */
export const notesVariable = "LATTICEWORK_TEST_NOTES";

/**
 * The note says which of them the process is busy with, and is gone when the process has ended well:
 * one that remains tells who hung, or died.
 */
export function runTestFiles(files: TestFiles, noteName: string): void {
  const noteFile = path.join(process.env[notesVariable] ?? "", noteName);
  const note = (text: string): void => {
    writeFileSync(noteFile, text);
  };
  const imports: Promise<void>[] = [];
  // No test runs beside an import: that blocks the process, and some tests measure time.
  before(() => Promise.allSettled(imports));
  for (const [file, load] of Object.entries(files)) {
    const importFile = async (): Promise<void> => {
      await Promise.allSettled(imports.slice());
      note(file);
      await load();
    };
    void describe(file, () => {
      before(() => {
        note(file);
      });
      const imported = importFile();
      imports.push(imported);
      return imported;
    });
  }
  after(() => {
    note(`${Object.keys(files).join(" or ")}, which left something open`);
  });
  process.on("beforeExit", () => {
    rmSync(noteFile, { force: true });
  });
}
