/**
 * `membership`: how soon all know of a crash and of a silent loss, whom stalls cost their life, and
 * what it costs to know, at 10, 100 and 1,000 nodes. The cores of production over a virtual network
 * (delays of 0.5–2 ms) and clock; of ten and a hundred nodes everybody is linked to everybody, of a
 * thousand each keeps some 70 links and opens others when it has something to say.
 *
 * A crash is a process that ends: its links break and dialling it again is refused. A silent loss is
 * a machine that is gone: nothing breaks and nobody answers. A stall is a process whose event loop
 * stands, with what Node makes of it: on waking it runs its timers before it reads its sockets.
 *
 * Control, in a copy of the sources: who wakes from a stall accuses at once whom it has not heard yet
 * and does not read its sockets before a verdict, one accuser is as good as three, refused dials
 * count for nothing, and tables are compared ten times a second.
 */
import { fullMeshMax } from "../membership/support/sparse-links.ts";
import { VirtualCluster } from "../membership/support/virtual-cluster.ts";
import type { VirtualNode } from "../membership/support/virtual-node.ts";
import { Plant } from "../support/plant.ts";
import { atMost, none, type Figure, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { runStalls, type StallRun } from "./membership-stalls.ts";
import { provePlanted } from "./planted.ts";
import { targets } from "./targets.ts";

type Size = keyof typeof targets.membership.crashMsMedianMax;

/** How often each is tried at one size. */
interface Trials {
  readonly size: Size;
  /** Clusters, and what happens to each of them, one after another. */
  readonly clusters: number;
  readonly crashes: number;
  readonly losses: number;
  readonly restMs: number;
}

interface Scale {
  readonly trials: readonly Trials[];
  readonly stallSeeds: number;
}

const full: Scale = {
  trials: [
    { size: 10, clusters: 200, crashes: 1, losses: 1, restMs: 60_000 },
    { size: 100, clusters: 10, crashes: 5, losses: 5, restMs: 60_000 },
    { size: 1000, clusters: 1, crashes: 11, losses: 7, restMs: 60_000 },
  ],
  stallSeeds: targets.membership.stallSeeds,
};
const smoke: Scale = {
  trials: [
    { size: 10, clusters: 4, crashes: 1, losses: 1, restMs: 30_000 },
    { size: 100, clusters: 1, crashes: 1, losses: 1, restMs: 10_000 },
  ],
  stallSeeds: 4,
};
/** A loss that is not known by then is not known. */
const knownLimitMs = 120_000;
/** From one disturbance to the next, so that nobody still tells of the last. */
const calmMs = 10_000;

interface Measured {
  readonly size: Size;
  readonly crashMs: number[];
  readonly lossMs: number[];
  /** Control messages a second of every node at rest. */
  readonly rates: number[];
  /** Links opened for one message, per node and second. */
  readonly dialRates: number[];
  /** Declared dead without a reason. */
  wronglyDead: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  if (control) return provePlanted("membership", faultyPlant(), isSmoke);
  const scale = isSmoke ? smoke : full;
  const measured: Measured[] = [];
  for (const trials of scale.trials) measured.push(await measure(trials, say));
  const stalls: StallRun[] = [];
  for (let seed = 1; seed <= scale.stallSeeds; seed++) {
    stalls.push(runStalls(seed));
    if (seed % 20 === 0) say(`${seed} of ${scale.stallSeeds} seeds with stalls`);
    await breathe();
  }
  return verdictOf(measured, stalls);
}

function faultyPlant(): Plant {
  const plant = Plant.create();
  const settings = {
    "evidenceWitnessCount: 2": "evidenceWitnessCount: 1e6",
    "suspicionMaxFactor: 6": "suspicionMaxFactor: 1",
    "pushPullIntervalMs: 30_000": "pushPullIntervalMs: 100",
  };
  for (const [was, is] of Object.entries(settings)) {
    plant.change("src/membership/settings.ts", `  ${was},`, `  ${is},`);
  }
  plant.change("src/membership/verdicts.ts", "return now - dueAt > latenessMs", "return false");
  plant.change(
    "src/membership/prober.ts",
    "} else if (!probe.askedHelpers) {",
    "} else if (!probe.askedHelpers && now - this.verdictDueAt < 50) {",
  );
  return plant;
}

/** Lets the process do what else it has to: a simulation never waits. */
function breathe(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

async function measure(
  { size, clusters, crashes, losses, restMs }: Trials,
  say: ProofOptions["say"],
): Promise<Measured> {
  const measured: Measured = {
    size,
    crashMs: [],
    lossMs: [],
    rates: [],
    dialRates: [],
    wronglyDead: 0,
  };
  for (let seed = 1; seed <= clusters; seed++) {
    // Those who are gone stay so: the last one goes from among as many as the size says.
    const count = size + crashes + losses - 1;
    const cluster = new VirtualCluster({ seed, isSparse: size > fullMeshMax });
    const nodes = size === 10 ? cluster.startMany(count) : cluster.startAcquainted(count);
    if (seed <= clusters / 10 + 1) rest(cluster, nodes, restMs, measured);
    const gone = new Set<string>();
    for (let n = 0; n < crashes + losses; n++) {
      const victim = nodes[(seed * 7 + n * 37) % nodes.length]!;
      gone.add(victim.id);
      const isCrash = n < crashes;
      if (isCrash) cluster.crash(victim);
      else cluster.unplug(victim);
      const ms = cluster.runUntilKnown(victim.id, "dead", knownLimitMs);
      (isCrash ? measured.crashMs : measured.lossMs).push(ms);
      const what = isCrash ? "crash" : "silent loss";
      if (size === 1000) say(`1000 nodes: a ${what} known by all after ${ms.toFixed(0)} ms`);
      cluster.run(calmMs);
      await breathe();
    }
    measured.wronglyDead += cluster.deaths.filter(({ subject }) => !gone.has(subject)).length;
    if (seed % Math.ceil(clusters / 4) === 0) say(`${size} nodes: ${seed} of ${clusters} clusters`);
  }
  return measured;
}

/** Counts what every node sends while nothing happens. */
function rest(
  cluster: VirtualCluster,
  nodes: readonly VirtualNode[],
  restMs: number,
  { rates, dialRates }: Measured,
): void {
  cluster.run(calmMs);
  for (const node of nodes) node.sentCount = node.dialCount = 0;
  cluster.run(restMs);
  for (const { sentCount, dialCount } of nodes) {
    rates.push((sentCount * 1000) / restMs);
    dialRates.push((dialCount * 1000) / restMs);
  }
}

function verdictOf(measured: readonly Measured[], stalls: readonly StallRun[]): Verdict {
  const sum = (of: (run: StallRun) => number): number =>
    stalls.reduce((total, one) => total + of(one), 0);
  const counts = Object.assign({}, ...measured.map(countsOf)) as Record<string, number | string>;
  const stalledDead = sum((one) => one.stalledDead);
  return {
    counts: {
      ...counts,
      "seeds with a quarter of the nodes stalling": stalls.length,
      "stalls of up to 12 s": sum((one) => one.stalls),
      "times that a node woke with timers overdue": sum((one) => one.overdue),
      "times that a stalling node was declared dead": stalledDead,
      "times that a healthy node was suspected": sum((one) => one.healthySuspected),
    },
    figures: [
      ...measured.flatMap(figuresOf),
      none(
        "healthy nodes declared dead while others stall",
        sum((one) => one.healthyDead),
      ),
      none(
        "others declared dead than were gone",
        measured.reduce((n, m) => n + m.wronglyDead, 0),
      ),
    ],
    // The lengths of the stalls are such that some are noticed.
    provedNothing: stalledDead === 0 ? "no stall was noticed" : undefined,
    records: [],
  };
}

function countsOf({ size, crashMs, lossMs, rates, dialRates }: Measured): Verdict["counts"] {
  return {
    [`${size} nodes: crashes`]: crashMs.length,
    [`${size} nodes: crash known by all, longest (ms)`]: Math.max(...crashMs).toFixed(0),
    [`${size} nodes: silent losses`]: lossMs.length,
    [`${size} nodes: silent loss known by all, median (ms)`]: quantile(lossMs, 0.5).toFixed(0),
    [`${size} nodes: messages per s at rest, mean`]: mean(rates).toFixed(2),
    [`${size} nodes: links opened per s at rest, mean`]: mean(dialRates).toFixed(2),
  };
}

function figuresOf({ size, crashMs, lossMs, rates }: Measured): readonly Figure[] {
  const { crashMsMedianMax, lossMsMax, messagesPerSMax } = targets.membership;
  const busiest = Number(Math.max(...rates).toFixed(2));
  const crash = `${size} nodes: crash known by all, median`;
  const loss = `${size} nodes: silent loss known by all, longest`;
  return [
    atMost(crash, quantile(crashMs, 0.5), crashMsMedianMax[size], "ms"),
    atMost(loss, Math.max(...lossMs), lossMsMax[size], "ms"),
    atMost(`${size} nodes: messages per s of the busiest`, busiest, messagesPerSMax),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Infinity;
}

export const proof: Proof = {
  control:
    "wakers accuse before they read, one accuser is enough, refused dials count for nothing, tables " +
    "are compared ten times a second",
  run,
};
