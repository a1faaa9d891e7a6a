/**
 * What a seed stands for: the size of the cluster, the mix of calls, which faults may happen and how
 * often. A *swarm* (Groce et al., ISSTA 2012): every run has only some of the features, because runs
 * with all of them hide what a few of them show.
 */
import type { MembershipSettings } from "../../membership/settings.ts";
import { restartsMax } from "../../membership/soundness.ts";
import type { Random } from "../../model/random.ts";
import { randomBelow } from "../../model/random.ts";
import type { Buggify } from "../../node/buggify.ts";
import { seededRandom } from "../../platform/seeded-random.ts";

export const faultKinds = [
  "delay",
  "reset",
  "cut",
  "one-way",
  "split",
  "bridge",
  "flap",
  "isolate",
  "crash",
  "pause",
  "stalls",
  "slow",
  "clock-jump",
  "join",
  "leave",
  "ambush",
  "storm",
  "wipe",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export const operations = ["put", "tag", "send", "ask", "linger", "decline", "seen"] as const;
export type OperationName = (typeof operations)[number];

export const slateOperations = ["mark", "post", "wipe", "renew"] as const;
export type SlateOperationName = (typeof slateOperations)[number];

export interface Scenario {
  readonly seed: number;
  readonly nodeCount: number;
  readonly replicas: number;
  readonly partitionCount: number;
  readonly entityCount: number;
  /** Entities of functions that serve a split; the others refuse. */
  readonly serveShare: number;
  readonly hasText: boolean;
  readonly clientCount: number;
  readonly watcherCount: number;
  readonly callCount: number;
  /** Calls of entities that are deleted again and again. */
  readonly slateCallCount: number;
  /** Calls of sessions, and linearizable reads. */
  readonly sessionCallCount: number;
  /** Reads that compare the copies of several owners. */
  readonly newestCallCount: number;
  /** Chains of calls. */
  readonly chainCount: number;
  /** Calls that set and cancel timers. */
  readonly timerCallCount: number;
  /** Calls of a function without state. */
  readonly relayCallCount: number;
  /** Calls that ask each other, once everybody is well again. */
  readonly crossingAskCount: number;
  readonly durationMs: number;
  readonly callTimeoutMs: number;
  readonly hotShare: number;
  readonly unprotectedShare: number;
  readonly acksOneShare: number;
  readonly acksAllShare: number;
  readonly weights: Readonly<Record<OperationName, number>>;
  readonly faults: readonly FaultKind[];
  readonly faultEveryMs: number;
  /** Faults are few and last long: what goes wrong only while nothing changes has time to. */
  readonly isPatient: boolean;
  /** Median one-way delay of the usual network. */
  readonly latencyMs: number;
  /**
   * Small bounds, so that small clusters meet them: pieces of copies, copies under way, ended terms,
   * what is remembered of senders and of the deleted. Then nobody repeats calls of that: repetitions may come later.
   */
  readonly buggify: Pick<
    Buggify,
    "imagePieceBytes" | "basesUnderWayMax" | "tombstoneMs" | "retireAt" | "settledMin"
  >;
  /**
   * After how many restarts nodes rest, and for how long: mostly never, because who rests holds nothing
   * that a crash could take; otherwise soon and briefly, so that rests begin and end within the run.
   */
  readonly rest: Pick<MembershipSettings, "flapCountMin" | "flapRestMs">;
  /** Share of what replicas say that is lost without a link breaking. */
  readonly lostShare: number;
}

/** Faults that may lose acknowledged calls: rare, and judged by fewer promises. */
const lossyFaults: ReadonlySet<FaultKind> = new Set(["storm", "wipe"]);
/** Of the runs that are not aimed. */
const lossyShare = 0.2;
/** The same: the network is sound, so that every verdict about a member can be judged. */
const calmShare = 0.15;
/** The same: faults are few and last long. */
const patientShare = 0.2;
/** Calm runs of which stalls are most of the faults. */
const stallingShare = 0.6;
const hostFaults: ReadonlySet<FaultKind> = new Set([
  "crash",
  "pause",
  "stalls",
  "clock-jump",
  "join",
  "leave",
]);
/** Runs on few nodes and partitions whose faults are mostly ambushes, one close to the other. */
const aimedShare = 0.5;
/** Of all runs. */
const standingShare = 0.05;

export function scenarioOf(seed: number): Scenario {
  const random = seededRandom(seed, "scenario");
  const harm = drawAnyHarm(seed, random);
  const weight = (most: number): number => (random() < 0.35 ? 0 : most * (0.2 + random()));
  return {
    seed,
    ...harm,
    replicas: drawReplicas(random, harm.nodeCount),
    entityCount: 20 + randomBelow(random, 12),
    serveShare: random() < 0.3 ? 0 : random(),
    hasText: random() < 0.15,
    clientCount: 1 + randomBelow(random, 3),
    watcherCount: random() < 0.5 ? 0 : 1 + randomBelow(random, 3),
    callCount: 190 + randomBelow(random, 50),
    slateCallCount: drawSlateCalls(seededRandom(seed, "slates")),
    sessionCallCount: drawSessionCalls(seededRandom(seed, "sessions")),
    newestCallCount: drawNewestCalls(seededRandom(seed, "newest reads")),
    chainCount: drawChains(seededRandom(seed, "chain calls")),
    timerCallCount: drawTimerCalls(seededRandom(seed, "timer calls")),
    relayCallCount: drawRelayCalls(seededRandom(seed, "relay calls")),
    crossingAskCount: drawCrossingAsks(seededRandom(seed, "crossing ask calls")),
    durationMs: 48_000 + randomBelow(random, 12_000),
    callTimeoutMs: 2_000 + randomBelow(random, 12_000),
    hotShare: random() < 0.5 ? 0 : random() * 0.5,
    unprotectedShare: random() < 0.6 ? 0 : random() * 0.5,
    acksOneShare: random() < 0.8 ? 0 : random() * 0.5,
    acksAllShare: random() < 0.7 ? 0 : random() * 0.5,
    weights: {
      put: 1,
      tag: weight(0.5),
      send: weight(0.6),
      ask: weight(0.5),
      linger: weight(0.3),
      decline: weight(0.1),
      seen: weight(0.8),
    },
    latencyMs: random() < 0.7 ? 0.2 : 1 + random() * 20,
    buggify: {
      imagePieceBytes: random() < 0.5 ? undefined : 2 ** (6 + random() * 6),
      basesUnderWayMax: random() < 0.5 ? undefined : 1 + randomBelow(random, 4),
      tombstoneMs: drawTombstoneMs(seededRandom(seed, "tombstones")),
      retireAt: drawRetireAt(seededRandom(seed, "retirement")),
      settledMin: drawSettledMin(seededRandom(seed, "settled sends")),
    },
    rest: drawRest(seededRandom(seed, "rest")),
    lostShare: random() < 0.85 ? 0 : random() * 0.1,
  };
}

/** How large the cluster is, and what happens to it. */
type Harm = Pick<
  Scenario,
  "nodeCount" | "partitionCount" | "faults" | "faultEveryMs" | "isPatient"
>;

function drawAnyHarm(seed: number, random: Random): Harm {
  const isAimed = random() < aimedShare;
  const harm = isAimed ? drawAimedHarm(random) : drawHarm(random);
  return drawStandingHarm(seededRandom(seed, "standing")) ?? harm;
}

function drawHarm(random: Random): Harm {
  const nodeCount = drawNodeCount(random);
  const isPatient = random() < patientShare;
  return {
    nodeCount,
    partitionCount: nodeCount > 7 ? 8 : 16,
    faults: drawFaults(random, nodeCount),
    faultEveryMs: isPatient ? 5_000 + random() * 4_000 : 1_500 + random() ** 2 * 7_000,
    isPatient,
  };
}

/** Any of the other faults may come between. */
function drawAimedHarm(random: Random): Harm {
  const draw = random();
  const others = faultKinds.filter((kind) => !lossyFaults.has(kind) && random() < 0.12);
  return {
    nodeCount: draw < 0.45 ? 3 : draw < 0.8 ? 4 : 5,
    partitionCount: 4,
    faults: ["ambush", "ambush", "ambush", ...others],
    faultEveryMs: 800 + random() * 2_500,
    isPatient: false,
  };
}

/**
 * A network that stays broken so that some owners of a partition hear of its primary through others only,
 * while nothing else happens: whoever believes it dead must be held back for all that time.
 */
function drawStandingHarm(random: Random): Harm | undefined {
  if (random() >= standingShare) return undefined;
  return {
    nodeCount: 3 + randomBelow(random, 3),
    partitionCount: 4,
    faults: ["bridge", "bridge", "bridge", "one-way", "crash"],
    faultEveryMs: 12_000 + random() * 4_000,
    isPatient: true,
  };
}

function drawSessionCalls(random: Random): number {
  return random() < 0.5 ? 0 : 30 + randomBelow(random, 40);
}

function drawNewestCalls(random: Random): number {
  return random() < 0.4 ? 0 : 30 + randomBelow(random, 50);
}

function drawChains(random: Random): number {
  return random() < 0.4 ? 0 : 15 + randomBelow(random, 25);
}

function drawSlateCalls(random: Random): number {
  return random() < 0.4 ? 0 : 30 + randomBelow(random, 50);
}

function drawTimerCalls(random: Random): number {
  return random() < 0.4 ? 0 : 20 + randomBelow(random, 40);
}

function drawRelayCalls(random: Random): number {
  return random() < 0.5 ? 0 : 10 + randomBelow(random, 30);
}

function drawCrossingAsks(random: Random): number {
  return random() < 0.5 ? 0 : 10 + randomBelow(random, 20);
}

function drawTombstoneMs(random: Random): number | undefined {
  return random() < 0.4 ? undefined : 200 + random() * 6_000;
}

function drawRetireAt(random: Random): number | undefined {
  return random() < 0.4 ? undefined : 1 + randomBelow(random, 3);
}

function drawSettledMin(random: Random): number | undefined {
  return random() < 0.4 ? undefined : 1 + randomBelow(random, 2);
}

function drawRest(random: Random): Scenario["rest"] {
  const isNever = random() < 0.7;
  return {
    flapCountMin: isNever ? restartsMax + 1 : 1 + randomBelow(random, 3),
    flapRestMs: 1_000 + random() ** 2 * 40_000,
  };
}

function drawReplicas(random: Random, nodeCount: number): number {
  if (nodeCount >= 5 && random() < 0.12) return 5;
  return random() < 0.08 ? 2 : 3;
}

function drawNodeCount(random: Random): number {
  const draw = random();
  if (draw < 0.03) return 1;
  if (draw < 0.09) return 2;
  if (draw < 0.4) return 3;
  if (draw < 0.62) return 4;
  if (draw < 0.82) return 5;
  if (draw < 0.97) return 6 + randomBelow(random, 2);
  return 8 + randomBelow(random, 8);
}

function drawFaults(random: Random, nodeCount: number): FaultKind[] {
  const isLossy = random() < lossyShare;
  const isCalm = random() < calmShare;
  const possible = faultKinds.filter(
    (kind) =>
      !lossyFaults.has(kind) && isPossible(kind, nodeCount) && (!isCalm || hostFaults.has(kind)),
  );
  const chosen = possible.filter(() => random() < 0.35);
  while (chosen.length < 2) {
    const more = possible[randomBelow(random, possible.length)]!;
    if (!chosen.includes(more)) chosen.push(more);
  }
  if (isCalm && nodeCount >= 3 && random() < stallingShare)
    chosen.push("stalls", "stalls", "stalls");
  if (isLossy && nodeCount >= 3) chosen.push(random() < 0.5 ? "storm" : "wipe");
  return chosen;
}

function isPossible(kind: FaultKind, nodeCount: number): boolean {
  switch (kind) {
    case "crash":
    case "leave":
    case "cut":
    case "one-way":
    case "split":
    case "isolate":
    case "flap":
    case "stalls":
      return nodeCount >= 2;
    case "bridge":
    case "ambush":
      return nodeCount >= 3;
    case "delay":
    case "reset":
    case "pause":
    case "slow":
    case "clock-jump":
    case "join":
    case "storm":
    case "wipe":
      return true;
  }
}
