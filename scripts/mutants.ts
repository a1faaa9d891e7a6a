/**
 * `npm run mutants [-- name …] [--starts N] [--seeds N] [--no-compile]` plants each mistake of
 * `scripts/mutants/` into a copy of the source and simulates until a named invariant fails. Tests
 * the tests: a simulator that does not see these would not see others. Ends with 1 when a mutant
 * survives, does not apply or does not compile.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { readMutant, type Mutant } from "./mutation/apply-mutant.ts";
import { hunt, type Catch } from "./mutation/hunt.ts";
import { plantMutant } from "./mutation/mutant-tree.ts";

const folder = path.join(import.meta.dirname, "mutants");
/** Starting points of the hunts are so far apart. */
const stride = 1_000_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    starts: { type: "string", default: "5" },
    seeds: { type: "string", default: "2000" },
    workers: { type: "string", default: String(availableParallelism()) },
    "no-compile": { type: "boolean", default: false },
  },
});
const starts = Number(values.starts);
const seedsMax = Number(values.seeds);
const workerCount = Number(values.workers);

process.exitCode = await main();

async function main(): Promise<number> {
  const files = readdirSync(folder).filter((file) => file.endsWith(".patch"));
  const names = files.map((file) => path.basename(file, ".patch")).sort();
  const unknown = positionals.filter((name) => !names.includes(name));
  if (
    unknown.length > 0 ||
    ![starts, seedsMax, workerCount].every((n) => Number.isInteger(n) && n > 0)
  ) {
    console.error(`usage: npm run mutants -- [name …] [--starts N] [--seeds N] [--workers N]`);
    if (unknown.length > 0)
      console.error(`unknown: ${unknown.join(", ")}; known: ${names.join(", ")}`);
    return 2;
  }
  const chosen = positionals.length === 0 ? names : positionals;
  const failures: string[] = [];
  console.log(`${"mutant".padEnd(36)} invariant  first seed  median of ${starts} starts`);
  for (const name of chosen) {
    const why = await judge(name);
    if (why !== undefined) failures.push(`${name}: ${why}`);
  }
  for (const failure of failures) console.error(`✖ ${failure}`);
  console.log(`${chosen.length - failures.length} of ${chosen.length} mutants caught`);
  return failures.length === 0 ? 0 : 1;
}

/** Why it counts as a failure, if it does. */
async function judge(name: string): Promise<string | undefined> {
  let mutant: Mutant;
  try {
    mutant = readMutant(path.join(folder, `${name}.patch`));
    using tree = plantMutant(mutant);
    const complaint = values["no-compile"] ? "" : tree.compile();
    if (complaint !== "") return `does not compile: ${complaint}`;
    const caught = await huntAll(mutant, tree.workerFile);
    if (caught.length < starts) return `survived ${seedsMax} seeds`;
    print(mutant, caught);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** One hunt from each start, until one fails. */
async function huntAll(mutant: Mutant, workerFile: string): Promise<Catch[]> {
  const caught: Catch[] = [];
  while (caught.length < starts) {
    const from = 1 + caught.length * stride;
    const found = await hunt({
      from,
      seedsMax,
      workerCount,
      workerFile,
      progress: (count) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${mutant.name} ${from} + ${count}\x1b[K`);
      },
    });
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
    if (found === undefined) break;
    caught.push(found);
  }
  return caught;
}

function print({ name, text }: Mutant, caught: readonly Catch[]): void {
  const [first] = caught;
  const counts = caught.map(({ seedCount }) => seedCount).sort((a, b) => a - b);
  const median = counts[Math.floor(counts.length / 2)] ?? 0;
  const figures = `${(first?.invariant ?? "").padEnd(9)}  ${String(first?.seed).padStart(10)}  ${median}`;
  console.log(`${name.padEnd(36)} ${figures}  (${counts.join(" ")})`);
  console.log(`    ${text}\n    ${first?.detail ?? ""}`);
}
