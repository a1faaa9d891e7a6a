/**
 * `npm run bench`: measures, prints tables with ratios, and on demand writes JSON and a page with
 * charts. Ends with exit code 1 when a run was invalid: its ratios would mean nothing. What measures
 * is loaded when it is wanted: `--help` needs none of it.
 */
import { writeFileSync } from "node:fs";
import { local } from "./cluster/local.ts";
import { w1 } from "./cluster/w1.ts";
import { w1Replicated } from "./cluster/w1-replicated.ts";
import { parseBenchArguments, usage, type BenchArguments } from "./lib/arguments.ts";
import type { ClusterBench } from "./lib/cluster-bench.ts";
import { describeMachine } from "./lib/machine.ts";
import type { MicroBench, MicroResult } from "./lib/micro.ts";
import { htmlPage } from "./lib/page.ts";
import { printReport } from "./lib/print.ts";
import { clusterReport, loadName, type ClusterReport, type Report } from "./lib/report.ts";
import { Progress } from "../scripts/cluster/progress.ts";

const clusterBenches: readonly ClusterBench[] = [w1, w1Replicated, local];
const microBenches: Readonly<Record<string, () => Promise<MicroBench>>> = {
  codec: async () => (await import("./micro/codec.bench.ts")).codec,
  route: async () => (await import("./micro/route.bench.ts")).route,
  turn: async () => (await import("./micro/turn.bench.ts")).turn,
  entity: async () => (await import("./micro/entity.bench.ts")).entity,
  merge: async () => (await import("./micro/merge.bench.ts")).merge,
};
/** What `--smoke` runs without names. */
const smokeNames = [w1.name];
const microMs = 500;
const microSmokeMs = 20;

try {
  const known = [...clusterBenches.map(({ name }) => name), ...Object.keys(microBenches)];
  const options = parseBenchArguments(process.argv.slice(2), known);
  if (options.help) console.log(`${usage}\nBenches: ${known.join(", ")}`);
  else process.exitCode = await runAll(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}

/** Returns the exit code. */
async function runAll(options: BenchArguments): Promise<number> {
  const machine = describeMachine();
  const clusters: ClusterReport[] = [];
  const wanted = clusterBenches.filter(({ name }) => isWanted(name, options));
  for (const bench of wanted) clusters.push(await runCluster(bench, options));
  const micro = await runMicroBenches(options);
  const report: Report = { machine, repetitions: options.repetitions, clusters, micro };
  printReport(report);
  if (options.jsonFile !== undefined) {
    writeFileSync(options.jsonFile, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (options.htmlFile !== undefined) writeFileSync(options.htmlFile, htmlPage(report));
  return clusters.some(({ invalid }) => invalid !== undefined) ? 1 : 0;
}

function isWanted(name: string, { names, smoke }: BenchArguments): boolean {
  if (names.length > 0) return names.includes(name);
  return !smoke || smokeNames.includes(name);
}

async function runMicroBenches(options: BenchArguments): Promise<MicroResult[]> {
  const { runMicro } = await import("./lib/micro.ts");
  const results: MicroResult[] = [];
  for (const [name, load] of Object.entries(microBenches)) {
    if (!isWanted(name, options)) continue;
    results.push(...(await runMicro(await load(), options.smoke ? microSmokeMs : microMs)));
  }
  return results;
}

async function runCluster(bench: ClusterBench, options: BenchArguments): Promise<ClusterReport> {
  const { measure } = await import("./lib/measure.ts");
  const { repetitions, measureMs, profileFolder, smoke } = options;
  const loads = smoke ? bench.smokeLoads : bench.loads;
  const total = loads.length * bench.subjects.length * repetitions;
  const progress = new Progress(bench.name, total);
  let done = 0;
  const cells = await measure(bench, {
    loads,
    repetitions,
    measureMs,
    profileFolder,
    progress: (subject, load) => {
      progress.update(done, `${subject} ${loadName(load)}`);
      done += 1;
    },
  });
  progress.update(total);
  progress.end();
  return clusterReport(bench, cells);
}
