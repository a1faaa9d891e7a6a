/**
 * Node 20 finds no TypeScript tests by itself and then reports success, so the files are listed
 * here and handed over by name.
 */
import { sourceFiles } from "../checks/source-files.ts";

/** All test files whose path contains any of `words`; all of them without words. */
export function listTestFiles(root: string, words: readonly string[]): string[] {
  return sourceFiles(root, [".test.ts"])
    .filter((file) => file.startsWith("test/"))
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));
}
