/**
 * Compares the runtime dependency tree with the figure that the README states, and fails when it
 * has changed: a dependency that comes in, directly or by way of another, is then a decision in a
 * diff. `--write` states the present figure.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { measureDependencyTree } from "./checks/measure-dependency-tree.ts";
import { repositoryRoot } from "./checks/source-files.ts";

const statement =
  /(\d+) direct runtime dependencies, (\d+) packages in all, (\d+(?:\.\d+)?) MB installed/;
/** Patch releases change a few files; a change beyond this is worth a look. */
const toleratedMegabytes = 0.3;

const readmePath = path.join(repositoryRoot, "README.md");
const readme = readFileSync(readmePath, "utf8");
const tree = measureDependencyTree(repositoryRoot);
const megabytes = tree.bytes / 1e6;
const measured =
  `${tree.directCount} direct runtime dependencies, ${tree.packageCount} packages in all, ` +
  `${megabytes.toFixed(1)} MB installed`;
const stated = statement.exec(readme);

if (stated === null) {
  console.error(`README.md does not state the dependency tree; it should say:\n  ${measured}`);
  process.exitCode = 1;
} else if (process.argv.includes("--write")) {
  writeFileSync(readmePath, readme.replace(statement, measured));
  console.log(`README.md now says: ${measured}`);
} else if (isUnchanged(stated)) {
  console.log(`dependency tree: ${measured}`);
} else {
  console.error(
    `The runtime dependency tree has changed.\n  README.md: ${stated[0]}\n  measured:  ${measured}\n` +
      "If that is meant, run `node --import tsx scripts/dependency-tree.ts --write` and say in the\n" +
      "commit why the new package is worth it.",
  );
  process.exitCode = 1;
}

function isUnchanged([, direct, packages, size]: RegExpExecArray): boolean {
  return (
    Number(direct) === tree.directCount &&
    Number(packages) === tree.packageCount &&
    Math.abs(Number(size) - megabytes) <= toleratedMegabytes
  );
}
