/**
 * Counts the comments that switch a tool off, by directive, and refuses those that do not say why.
 * Type tests are left out: there `@ts-expect-error` is the assertion and not an exception.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { findSuppressions } from "./checks/find-suppressions.ts";
import { repositoryRoot, sourceFiles } from "./checks/source-files.ts";

const exempt = ["test/types/", "test/tools/", "scripts/checks/find-suppressions.ts"];

const found = sourceFiles(repositoryRoot, [".ts", ".js", ".mjs", ".cjs"])
  .filter((file) => !exempt.some((start) => file.startsWith(start)))
  .flatMap((file) =>
    findSuppressions(readFileSync(path.join(repositoryRoot, file), "utf8")).map((suppression) => ({
      file,
      ...suppression,
    })),
  );

const counts = new Map<string, number>();
for (const { directive } of found) counts.set(directive, (counts.get(directive) ?? 0) + 1);
const summary = [...counts].map(([directive, count]) => `${count} ${directive}`).join(", ");
console.log(`suppressions: ${summary === "" ? "none" : summary}`);

for (const { file, line, directive, problem } of found) {
  if (problem === undefined) continue;
  console.error(`${file}:${line}  ${directive}: ${problem}`);
  process.exitCode = 1;
}
