/**
 * `npm run prove`: lists the proofs; `npm run prove -- NAME` runs one against the real thing, prints
 * the raw counts and each figure beside its target. Exit code 0: holds; 1: falls short; 3: what the
 * proof is about did not happen, so it proved nothing; 70: it broke down.
 */
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { resultOf, type Proof, type Verdict } from "../test/proof/proof.ts";
import { issueLines, type ProofName } from "../test/proof/targets.ts";

const usage = `Usage: npm run prove                    list the proofs
       npm run prove -- NAME [options]

  --control     plant the fault that the proof names; it must then exit 1
  --smoke       short, as npm test runs it
  --runs N      so many times in a row, for proofs that repeat (default 1)
  --json FILE   write verdict and counts as JSON
  --help        this text

Examples:
  npm run prove -- flights --runs 10
  npm run prove -- split-merge --control

Exit codes: 0 holds, 1 falls short, 2 usage, 3 proved nothing, 70 broke down
`;

/** A proof that breaks down has not fallen short: a control must not pass for that. */
const exits = { holds: 0, fallsShort: 1, usage: 2, provedNothing: 3, brokeDown: 70 } as const;

const exitByResult = {
  holds: exits.holds,
  "falls short": exits.fallsShort,
  nothing: exits.provedNothing,
} as const;

async function main(): Promise<number> {
  let read: ReturnType<typeof readArguments>;
  try {
    read = readArguments();
  } catch (error) {
    console.error(`✖ ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return exits.usage;
  }
  const { values, positionals } = read;
  if (values.help) {
    process.stdout.write(usage);
    return exits.holds;
  }
  const [name] = positionals;
  if (name === undefined) {
    list();
    return exits.holds;
  }
  const runs = Number(values.runs);
  const problem = problemOf(positionals, runs);
  if (problem !== undefined) {
    console.error(`✖ ${problem}\n\n${usage}`);
    return exits.usage;
  }
  return prove(name as ProofName, { ...values, runs });
}

function problemOf(names: readonly string[], runs: number): string | undefined {
  const [name = "", ...others] = names;
  if (!(name in issueLines) || others.length > 0) {
    const known = Object.keys(issueLines).join(", ");
    return `there is no such proof: ${names.join(" ")}\n  one of: ${known}`;
  }
  if (Number.isSafeInteger(runs) && runs >= 1) return undefined;
  return "--runs takes a whole number from 1";
}

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      control: { type: "boolean", default: false },
      smoke: { type: "boolean", default: false },
      runs: { type: "string", default: "1" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
}

function list(): void {
  for (const [name, { issue, line, says }] of Object.entries(issueLines)) {
    console.log(`${name.padEnd(18)} issue ${issue}, line ${line}\n    ${says}`);
  }
  console.log("\nNext: npm run prove -- join-and-failover");
}

async function prove(
  name: ProofName,
  options: {
    readonly control: boolean;
    readonly smoke: boolean;
    readonly runs: number;
    readonly json?: string | undefined;
  },
): Promise<number> {
  const { issue, line, says } = issueLines[name];
  const { proof } = (await import(`../test/proof/${name}.ts`)) as { readonly proof: Proof };
  const { control, smoke, runs, json } = options;
  console.log(`${name}: issue ${issue}, line ${line}\n  ${says}`);
  if (control) console.log(`  control: ${proof.control}`);
  const startedAt = performance.now();
  const say = (text: string): void => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`  ${seconds.padStart(6)} s  ${text}`);
  };
  const verdict = await proof.run({ control, smoke, runs, say });
  const exit = exitByResult[resultOf(verdict)];
  print(verdict, exit);
  if (json !== undefined) {
    const report = { proof: name, issue, line, control, smoke, runs, exit, ...verdict };
    await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  }
  return exit;
}

function print({ figures, counts, provedNothing, records }: Verdict, exit: number): void {
  console.log("\n  counts");
  for (const [name, value] of Object.entries(counts)) row(name, value, "");
  console.log("\n  figures");
  for (const { name, value, target, holds } of figures) {
    row(`${holds ? "✔" : "✖"} ${name}`, value, `target ${target}`);
  }
  for (const file of records) console.log(`\n  record: ${file}`);
  if (provedNothing !== undefined) console.log(`\nproved nothing: ${provedNothing}`);
  else console.log(exit === exits.holds ? "\nholds" : "\nfalls short");
}

function row(name: string, value: number | string, target: string): void {
  console.log(`    ${name.padEnd(52)} ${String(value).padStart(10)}  ${target}`.trimEnd());
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error);
  console.error("\nbroke down: neither proved nor disproved");
  // Whatever it left open must not keep it.
  process.exit(exits.brokeDown);
}
