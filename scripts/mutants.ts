/**
 * `npm run mutants` plants each mistake of `scripts/mutants/` into a copy of the source and simulates
 * until a named invariant fails. Tests the tests: a simulator that does not see these would not see
 * others. Copies live in the folder for temporary files; nothing is written into this one.
 */
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { readMutant, type Mutant } from "./mutation/apply-mutant.ts";
import { hunt, type Catch } from "./mutation/hunt.ts";
import { plantMutant } from "./mutation/mutant-tree.ts";
import { tableOf, type Row } from "./mutation/mutant-table.ts";

const folder = path.join(import.meta.dirname, "mutants");
/** Starting points of the hunts are so far apart. */
const stride = 1_000_000;
const startsDefault = 5;
const seedsDefault = 2_000;
const exits = { allCaught: 0, survived: 1, usage: 2 } as const;

const usage = `Usage: npm run mutants -- [NAME …] [options]

Plants known mistakes, one at a time, into a copy of the source, and runs simulated clusters until
one of the named invariants fails that holds on the same seed without the mistake. Without a name
it takes all of scripts/mutants/.

  --starts N      hunt from so many starting seeds, one million apart (default ${String(startsDefault)})
  --seeds N       seeds of one hunt; a median above it is "survived" (default ${String(seedsDefault)})
  --workers N     processes at once (default: one per core)
  --no-compile    do not check first that each mutant compiles
  --list          name the mutants and what they do wrong
  --help          this text

Examples:
  npm run mutants                                          the whole table: half an hour on two cores
  npm run mutants -- --starts 1                            a first look
  npm run mutants -- union-of-copies --starts 1 --seeds 500

Exit codes: 0 all caught, 1 one survived, does not apply or does not compile, 2 usage
`;

interface Options {
  readonly names: readonly string[];
  readonly starts: number;
  readonly seedsMax: number;
  readonly workerCount: number;
  readonly compiles: boolean;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const known = readdirSync(folder)
    .filter((file) => file.endsWith(".patch"))
    .map((file) => path.basename(file, ".patch"))
    .sort();
  let options: Options | "help" | "list";
  try {
    options = readOptions(known);
  } catch (error) {
    console.error(`✖ ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return exits.usage;
  }
  if (options === "help") process.stdout.write(usage);
  else if (options === "list") for (const name of known) console.log(lineOf(read(name)));
  else return judgeAll(options);
  return exits.allCaught;
}

/** @throws Error that says what is wrong with the arguments */
function readOptions(known: readonly string[]): Options | "help" | "list" {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      starts: { type: "string", default: String(startsDefault) },
      seeds: { type: "string", default: String(seedsDefault) },
      workers: { type: "string", default: String(availableParallelism()) },
      "no-compile": { type: "boolean", default: false },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.list) return "list";
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no mutant is called ${unknown.join(", ")}; there are ${known.join(", ")}`);
  }
  return {
    names: positionals.length === 0 ? known : positionals,
    starts: count("--starts", values.starts),
    seedsMax: count("--seeds", values.seeds),
    workerCount: count("--workers", values.workers),
    compiles: !values["no-compile"],
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`${option} takes a whole number from 1, not ${text}`);
}

async function judgeAll(options: Options): Promise<number> {
  const rows: Row[] = [];
  for (const name of options.names) {
    const row = await judge(name, options);
    rows.push(row);
    const first = row.caught[0];
    if (row.failure === undefined)
      console.log(`✔ ${lineOf(row.mutant)}\n    ${first?.detail ?? ""}`);
    else console.log(`✖ ${name}: ${row.failure}`);
  }
  console.log(`\n${tableOf(rows, options.starts)}`);
  const caughtCount = rows.filter(({ failure }) => failure === undefined).length;
  console.log(`${String(caughtCount)} of ${String(rows.length)} mutants caught`);
  return caughtCount === rows.length ? exits.allCaught : exits.survived;
}

async function judge(name: string, options: Options): Promise<Row> {
  const mutant: Mutant = read(name);
  try {
    using tree = plantMutant(mutant);
    const complaint = options.compiles ? tree.compile() : "";
    if (complaint !== "") {
      return { mutant, caught: [], failure: `does not compile: ${complaint.trim()}` };
    }
    const caught = await huntAll(name, tree.root, options);
    // The median of the starts tells, so more than half of them have to find it.
    const survives = caught.length * 2 <= options.starts;
    const failure = survives ? `survived ${String(options.seedsMax)} seeds` : undefined;
    return { mutant, caught, failure };
  } catch (error) {
    return { mutant, caught: [], failure: error instanceof Error ? error.message : String(error) };
  }
}

/** One hunt from each start, until more of them have failed than may. */
async function huntAll(name: string, root: string, options: Options): Promise<Catch[]> {
  const { starts, seedsMax, workerCount } = options;
  const caught: Catch[] = [];
  let missed = 0;
  for (let start = 0; start < starts && missed * 2 < starts; start++) {
    const from = 1 + start * stride;
    const found = await hunt({
      from,
      seedsMax,
      workerCount,
      root,
      progress: (seedCount) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${name} ${from} + ${seedCount}\x1b[K`);
      },
    });
    if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
    if (found === undefined) missed += 1;
    else caught.push(found);
  }
  return caught;
}

function read(name: string): Mutant {
  return readMutant(path.join(folder, `${name}.patch`));
}

function lineOf({ name, text }: Mutant): string {
  return `${name}: ${text}`;
}
