/**
 * Puts a mutant into a copy of the source: each hunk of its unified diff replaces the one place that
 * reads like its old side. Line numbers do not count, so a patch survives changes around it; one
 * whose place is gone, or is there twice, is an error and must be brought up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

export interface Mutant {
  readonly name: string;
  /** What it does wrong: the first line of its file. */
  readonly text: string;
  readonly hunks: readonly Hunk[];
}

interface Hunk {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** A mutant changes this many lines at most, or it is no longer a simple mistake. */
const changedLinesMax = 10;

export function readMutant(file: string): Mutant {
  const name = path.basename(file, ".patch");
  const [text = "", ...lines] = readFileSync(file, "utf8").split("\n");
  const hunks: { file: string; before: string; after: string }[] = [];
  let changed = 0;
  let target = "";
  for (const line of lines) {
    const hunk = hunks.at(-1);
    if (line.startsWith("--- ") || line === "") continue;
    if (line.startsWith("+++ b/")) target = line.slice("+++ b/".length);
    else if (line.startsWith("@@")) hunks.push({ file: target, before: "", after: "" });
    else if (hunk === undefined) throw new Error(`${name}: "${line}" stands before any @@`);
    else {
      const rest = `${line.slice(1)}\n`;
      const [isOld, isNew] = [!line.startsWith("+"), !line.startsWith("-")];
      if (!isOld || !isNew) changed += 1;
      if (isOld) hunk.before += rest;
      if (isNew) hunk.after += rest;
    }
  }
  if (hunks.length === 0) throw new Error(`${name} changes nothing`);
  if (changed > changedLinesMax) throw new Error(`${name} changes ${changed} lines`);
  return { name, text, hunks };
}

/** Changes the tree below `root`. @throws Error when a place is not there exactly once */
export function applyMutant(root: string, { name, hunks }: Mutant): void {
  for (const { file, before, after } of hunks) {
    const target = path.join(root, file);
    const source = readFileSync(target, "utf8");
    const at = source.indexOf(before);
    if (at < 0 || source.includes(before, at + 1)) {
      const count = at < 0 ? "no place" : "several places";
      throw new Error(`${name} does not apply: ${count} in ${file} like\n${before}`);
    }
    writeFileSync(target, source.slice(0, at) + after + source.slice(at + before.length));
  }
}
