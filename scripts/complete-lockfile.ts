/** Adds to the lockfile what `checks/missing-optional-packages.ts` finds left out. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { missingOptionalPackages, type Lockfile } from "./checks/missing-optional-packages.ts";
import { repositoryRoot } from "./checks/source-files.ts";

const file = path.join(repositoryRoot, "package-lock.json");
const lockfile = JSON.parse(readFileSync(file, "utf8")) as Lockfile;
const missing = missingOptionalPackages(lockfile);
const entries = Object.entries({ ...lockfile.packages, ...missing });
lockfile.packages = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lockfile, undefined, 2)}\n`);

const names = Object.keys(missing);
console.log(names.length === 0 ? "the lockfile is complete" : `added ${names.join(", ")}`);
