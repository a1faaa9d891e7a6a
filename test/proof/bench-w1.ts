/**
 * `bench-w1`: W1 at 256 calls at once beside the raw echo and the batched reference, in one
 * interleaved run, so that a busy machine slows all of them alike. The judge is `npm run bench`.
 *
 * Control: in a checkout of its own every call that a node takes costs 0.2 ms more.
 */
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Report } from "../../bench/lib/report.ts";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { Plant } from "../support/plant.ts";
import { runProgram } from "../support/run-program.ts";
import { atLeast, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

const timeoutMs = 600_000;
const served =
  "  serve(call: CallMessage, origin: Origin, known?: EntityAddress): CallUnderWay | undefined {\n";
const slowly = "    for (let n = 0, x = 1; n < 200_000; n++) x = Math.sqrt(x + n);\n";

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const plant = control ? Plant.create() : undefined;
  try {
    plant?.change("src/node/calls/call-server.ts", served, served + slowly);
    const folder = await mkdtemp(path.join(tmpdir(), "latticework-bench-"));
    const json = path.join(folder, "bench.json");
    const words = [...(smoke ? ["--smoke"] : ["w1"]), "--json", json];
    say(`npm run bench -- ${words.join(" ")}`);
    const args = ["--import", "tsx", "bench/run.ts", ...words];
    const cwd = plant?.root ?? repositoryRoot;
    const { code, output } = await runProgram(process.execPath, args, { cwd, timeoutMs });
    if (code !== 0) throw new Error(`npm run bench ended with ${code}:\n${output}`);
    return judge(JSON.parse(await readFile(json, "utf8")) as Report, json);
  } finally {
    plant?.remove();
  }
}

function judge(report: Report, json: string): Verdict {
  const { concurrency, shareOfBatchedReferenceMin } = targets.benchW1;
  const rows = report.clusters
    .filter(({ name }) => name === "w1")
    .flatMap((cluster) => cluster.rows)
    .filter(({ load }) => load.type === "closed" && load.concurrency === concurrency);
  const own = rows.find(({ subject }) => subject === "latticework");
  const ratio = (to: string): number =>
    own?.ratios.find(({ reference }) => reference === to)?.throughput ?? 0;
  const share = Number(ratio("batched-counter").toFixed(3));
  return {
    counts: {
      ...Object.fromEntries(
        rows.map(({ subject, callsPerS }) => [`${subject}, calls per s`, Math.round(callsPerS)]),
      ),
      "× raw echo": ratio("raw-echo").toFixed(3),
      repetitions: report.repetitions,
    },
    figures: [atLeast("share of the batched reference", share, shareOfBatchedReferenceMin)],
    provedNothing: own === undefined ? "W1 was not measured at 256 calls at once" : undefined,
    records: [json],
  };
}

export const proof: Proof = { control: "every call costs a node 0.2 ms more", run };
