/**
 * Judges a run of `kills`, `rolling-restart`, `pause` or `effectively-once` in a process of its own:
 * every count is read through a fresh client, and taken from each owner as it told the parent, and
 * compared with the load generator's record. Each call added one, so that a count is right from what
 * was acknowledged up to that and what is indeterminate. A call that its handler refuses adds nothing,
 * however it ended, nor does one that is made again under its idempotency key.
 * Usage: `tsx tallies.ts STORY.json CALLS.jsonl COPIES.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import { partitionOf } from "../../../src/ring/partition.ts";
import { readRecords } from "../../support/record-file.ts";
import type { Functions } from "../functions/tallies.ts";
import { tallyEntity, type TallyRecord } from "../tally-messages.ts";
import type {
  Disturbance,
  DisturbanceJudgement,
  OwnersTotals,
  TallyJudgement,
  TallyStory,
} from "./tally-story.ts";

const concurrency = 512;
/** A count that nobody shows for so long is lost to its callers. */
const readTimeoutMs = 3_000;

/** What the record says of one entity. */
interface Told {
  acknowledged: number;
  indeterminate: number;
  /** Some call may have run without a majority, with its caller's consent. */
  mayBeDegraded: boolean;
}

const allowed = "double under degraded service, as agreed";
const byHandler = "refused by their handler";

const counts: Record<string, number> = {
  "calls sent": 0,
  "of them to preload": 0,
  "of them unprotected": 0,
  acknowledged: 0,
  "of them degraded": 0,
  indeterminate: 0,
  refused: 0,
  [byHandler]: 0,
  "made again by a restarted caller": 0,
  "counts read through a fresh client": 0,
  "counts told by owners": 0,
  [`${allowed} (fresh client)`]: 0,
  [`${allowed} (on an owner)`]: 0,
};
const faults: Record<string, number> = {
  "acknowledged writes lost (fresh client)": 0,
  "writes counted twice (fresh client)": 0,
  "counts that nobody could read": 0,
  "acknowledged writes lost (on an owner)": 0,
  "writes counted twice (on an owner)": 0,
  "entities whose owners differ": 0,
  "entities without an owner": 0,
  "owners without a copy": 0,
  "calls to be refused that were answered ok": 0,
  "calls made again without an answer": 0,
};

function add(to: Record<string, number>, name: string, by: number): void {
  to[name] = (to[name] ?? 0) + by;
}

function isIndeterminate({ answer }: TallyRecord): boolean {
  return answer.type === "failed" && answer.indeterminate;
}

/** By `function/key`. */
function tellByEntity(calls: readonly TallyRecord[]): Map<string, Told> {
  const byEntity = new Map<string, Told>();
  for (const call of calls) {
    const name = `${call.functionName}/${call.key}`;
    let told = byEntity.get(name);
    if (told === undefined) {
      told = { acknowledged: 0, indeterminate: 0, mayBeDegraded: false };
      byEntity.set(name, told);
    }
    add(counts, "calls sent", 1);
    if (call.from === "preload") add(counts, "of them to preload", 1);
    if (call.from === "careless") add(counts, "of them unprotected", 1);
    if (call.from === "repeat") {
      if (call.answer.type === "ok") {
        told.mayBeDegraded ||= call.answer.degraded;
        add(counts, "made again by a restarted caller", 1);
      } else {
        add(faults, "calls made again without an answer", 1);
      }
    } else if (call.from === "refusal") {
      if (call.answer.type === "ok") add(faults, "calls to be refused that were answered ok", 1);
      else if (call.answer.code === "failed_precondition") add(counts, byHandler, 1);
    } else if (call.answer.type === "ok") {
      told.acknowledged += 1;
      add(counts, "acknowledged", 1);
      if (call.answer.degraded) {
        told.mayBeDegraded = true;
        add(counts, "of them degraded", 1);
      }
    } else if (isIndeterminate(call)) {
      told.indeterminate += 1;
      if (call.functionName === "tally") told.mayBeDegraded = true;
      add(counts, "indeterminate", 1);
    } else {
      add(counts, "refused", 1);
    }
  }
  return byEntity;
}

/**
 * A call to `tally` agrees to degraded service by itself, and one that ended without an answer does
 * not tell whether it made use of that: then, and only then, it may have counted twice.
 */
function judgeTotal(where: string, told: Told, total: number): void {
  const { acknowledged, indeterminate } = told;
  const tooMuch = Math.max(0, total - acknowledged - indeterminate);
  add(faults, `acknowledged writes lost (${where})`, Math.max(0, acknowledged - total));
  if (told.mayBeDegraded) add(counts, `${allowed} (${where})`, tooMuch);
  else add(faults, `writes counted twice (${where})`, tooMuch);
}

async function readThroughFreshClient(
  { addresses, entities }: TallyStory,
  told: ReadonlyMap<string, Told>,
): Promise<void> {
  const client = await connect<Functions>({ nodes: addresses });
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let n = next++; n < entities; n = next++) {
      const { functionName, key } = tallyEntity(n);
      const handle = client.get(functionName, key).with({ timeoutMs: readTimeoutMs });
      const total = await handle.read().catch(() => undefined);
      if (total === undefined) add(faults, "counts that nobody could read", 1);
      else add(counts, "counts read through a fresh client", 1);
      const of = told.get(`${functionName}/${key}`);
      if (of !== undefined) judgeTotal("fresh client", of, total ?? 0);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
  await client.close();
}

function judgeOwners(copies: readonly OwnersTotals[], told: ReadonlyMap<string, Told>): void {
  for (const { functionName, key, totals, areEqual } of copies) {
    const of = told.get(`${functionName}/${key}`);
    const held = Object.values(totals);
    if (of === undefined) continue;
    if (held.length === 0) add(faults, "entities without an owner", 1);
    if (!areEqual) add(faults, "entities whose owners differ", 1);
    for (const total of held) {
      add(counts, "counts told by owners", 1);
      if (total === null && of.acknowledged > 0) add(faults, "owners without a copy", 1);
      else judgeTotal("on an owner", of, total ?? 0);
    }
  }
}

function judgeDisturbance(
  { node, at, backAt, led }: Disturbance,
  next: Disturbance | undefined,
  calls: readonly (readonly [number, TallyRecord])[],
): DisturbanceJudgement {
  const ledBy = new Set(led);
  const of = calls
    .filter(([partition, { sentAt, answeredAt }]) => {
      return answeredAt > at && sentAt <= (next?.at ?? Infinity) && ledBy.has(partition);
    })
    .map(([, call]) => call);
  const made = of.filter(({ sentAt }) => sentAt <= backAt);
  const inFlight = made.filter(({ sentAt }) => sentAt <= at);
  const careless = inFlight.filter(({ from }) => from === "careless");
  const successes = of.filter(({ answer }) => answer.type === "ok" && answer.node !== node);
  const waits = made
    .filter(({ from }) => from === "load")
    .map(({ dueAt, answeredAt }) => answeredAt - Math.max(at, dueAt));
  return {
    calls: made.length,
    inFlight: inFlight.length,
    careless: careless.length,
    carelessIndeterminate: careless.filter(isIndeterminate).length,
    firstSuccessMs: successes.reduce<number | null>(
      (first, { answeredAt }) => Math.min(first ?? Infinity, answeredAt - at),
      null,
    ),
    longestWaitMs: waits.reduce((longest, wait) => Math.max(longest, wait), 0),
    lateAnswers: made.filter(({ answer, answeredAt }) => {
      return answer.type === "ok" && answer.node === node && answeredAt > backAt;
    }).length,
  };
}

function latenciesOf(calls: readonly TallyRecord[]): TallyJudgement["latencyMs"] {
  const times = Float64Array.from(calls, ({ dueAt, answeredAt }) => answeredAt - dueAt).sort();
  const at = (share: number): number =>
    times[Math.min(times.length - 1, Math.ceil(times.length * share) - 1)] ?? Infinity;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

function failuresAmong(calls: readonly TallyRecord[]): number {
  return calls.filter(({ answer }) => answer.type === "failed").length;
}

async function judge(
  storyFile: string,
  callsFile: string,
  copiesFile: string,
): Promise<TallyJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as TallyStory;
  const calls = (await readRecords(callsFile)) as TallyRecord[];
  const copies = (await readFile(copiesFile, "utf8"))
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as OwnersTotals);
  const told = tellByEntity(calls);
  judgeOwners(copies, told);
  await readThroughFreshClient(story, told);
  const { disturbances, partitions } = story;
  const made = calls.filter(({ from }) => from !== "preload");
  const placed = made.map(
    (call) => [partitionOf(call.functionName, call.key, partitions), call] as const,
  );
  const byClock = calls.filter(({ from }) => from === "load");
  const isProtected = calls.filter(({ from }) => from === "load" || from === "burst");
  return {
    counts,
    faults,
    latencyMs: latenciesOf(byClock),
    failedCalls: failuresAmong(byClock),
    protectedCalls: isProtected.length,
    protectedFailures: failuresAmong(isProtected),
    disturbances: disturbances.map((one, index) =>
      judgeDisturbance(one, disturbances[index + 1], placed),
    ),
  };
}

const [storyFile = "", callsFile = "", copiesFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile, callsFile, copiesFile)));
