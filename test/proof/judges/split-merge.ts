/**
 * Judges a run of `split-merge` in a process of its own: by the load generator's record of calls,
 * by the copies that each owner held after the heal, and by reading everything through a fresh
 * client. Usage: `tsx split-merge.ts STORY.json CALLS.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import { readRecords, type CallRecord } from "../../support/record-file.ts";
import type { Functions } from "../functions/notes.ts";
import type { SplitJudgement, SplitStory, StoryEntity } from "./split-story.ts";

/** As a query of the proof's functions, or as a watcher of their state would see it. */
interface Seen {
  readonly text?: string;
  readonly count?: number;
  readonly tags?: readonly string[];
}

class Tally {
  readonly counts: Map<string, number>;

  /** @param names shown also where nothing was counted */
  constructor(names: readonly string[]) {
    this.counts = new Map(names.map((name) => [name, 0]));
  }

  add(name: string, by: number): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
  }

  asObject(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }
}

const places = ["on an owner", "in a fresh client"];
const faultNames = [
  "keys answered without degraded by both sides",
  "calls refused on a side that had an owner",
  "ledger calls that the minority side answered",
  ...places.flatMap((where) => [
    `edits missing ${where}`,
    `edits present twice ${where}`,
    `refused edits present ${where}`,
    `counted too little ${where}`,
    `counted too much ${where}`,
    `removed tags back ${where}`,
    `tags added concurrently that are gone ${where}`,
    `tags lost ${where}`,
  ]),
  "entities with unequal digests",
  "entities with unequal contents",
  "entities without an owner",
  "owners without a copy",
];

const faults = new Tally(faultNames);
const counts = new Tally([]);

function isEdit({ operation }: CallRecord): boolean {
  return operation !== "touch";
}

function isOk(record: CallRecord): boolean {
  return record.answer.type === "ok";
}

function isIndeterminate({ answer }: CallRecord): boolean {
  return answer.type === "failed" && answer.indeterminate;
}

function judgeAnswers(entity: StoryEntity, calls: readonly CallRecord[]): void {
  const split = calls.filter(({ from }) => from !== "before");
  const undegraded = new Set<string>();
  for (const call of split) {
    if (call.answer.type === "ok" && !call.answer.degraded) undegraded.add(call.from);
  }
  faults.add("keys answered without degraded by both sides", undegraded.size > 1 ? 1 : 0);
  const edits = split.filter(isEdit);
  for (const call of edits) {
    const { answer, from } = call;
    const isMinority = from !== entity.majority;
    counts.add("edits sent during the split", 1);
    if (answer.type === "ok") counts.add("edits acknowledged during the split", 1);
    if (answer.type === "ok" && answer.degraded) counts.add("of them degraded", 1);
    if (isIndeterminate(call)) counts.add("edits of unknown outcome", 1);
    if (entity.functionName === "ledger" && isMinority) {
      counts.add("ledger calls of the minority side", 1);
      if (answer.type === "ok") faults.add("ledger calls that the minority side answered", 1);
      // Its last attempt was under way at its deadline. What counts is that it took no effect.
      if (isIndeterminate(call)) counts.add("of them with an outcome unknown to the caller", 1);
    } else if (answer.type === "failed" && (entity.served as string[]).includes(from)) {
      faults.add("calls refused on a side that had an owner", 1);
    }
  }
}

/** Whether the call may show in the state: on the minority side no call of a ledger may. */
function mayShow(entity: StoryEntity, call: CallRecord): boolean {
  const isRefused =
    entity.functionName === "ledger" && call.from !== "before" && call.from !== entity.majority;
  return isOk(call) || (isIndeterminate(call) && !isRefused);
}

function judgeState(
  where: string,
  entity: StoryEntity,
  calls: readonly CallRecord[],
  seen: Seen,
): void {
  for (const call of calls) {
    if (call.operation !== "append" && call.operation !== "prepend") continue;
    const found = (seen.text ?? "").split(call.input as string).length - 1;
    if (isOk(call) && found === 0) faults.add(`edits missing ${where}`, 1);
    if (!mayShow(entity, call) && found > 0) faults.add(`refused edits present ${where}`, 1);
    if (found > 1) faults.add(`edits present twice ${where}`, found - 1);
  }
  const adds = calls.filter(({ operation }) => operation === "add");
  const sum = (of: readonly CallRecord[]): number =>
    of.reduce((total, { input }) => total + (input as number), 0);
  const acknowledged = sum(adds.filter(isOk));
  const possible = sum(adds.filter((call) => mayShow(entity, call)));
  const count = seen.count ?? 0;
  faults.add(`counted too little ${where}`, Math.max(0, acknowledged - count));
  faults.add(`counted too much ${where}`, Math.max(0, count - possible));
}

function judgeTags(where: string, calls: readonly CallRecord[], seen: Seen): void {
  const tags = new Set(seen.tags ?? []);
  const was = (operation: string, tag: string, from: string): boolean =>
    calls.some(
      (call) =>
        call.operation === operation && call.input === tag && call.from === from && isOk(call),
    );
  if (was("untag", "gone", "A") && tags.has("gone")) faults.add(`removed tags back ${where}`, 1);
  if (was("tag", "again", "B") && !tags.has("again")) {
    faults.add(`tags added concurrently that are gone ${where}`, 1);
  }
  if (was("tag", "kept", "before") && !tags.has("kept")) faults.add(`tags lost ${where}`, 1);
}

function judgeCopies(entity: StoryEntity, calls: readonly CallRecord[]): void {
  const copies = Object.values(entity.copies);
  const digests = new Set(copies.map((copy) => copy?.digest));
  const hashes = new Set(copies.map((copy) => copy?.contentHash));
  counts.add("copies compared", copies.length);
  if (copies.length === 0) faults.add("entities without an owner", 1);
  if (digests.size > 1) faults.add("entities with unequal digests", 1);
  if (hashes.size > 1) faults.add("entities with unequal contents", 1);
  for (const copy of copies) {
    if (copy === null) {
      faults.add("owners without a copy", 1);
      continue;
    }
    judgeState("on an owner", entity, calls, copy.plain as Seen);
    if (entity.functionName === "note") judgeTags("on an owner", calls, copy.plain as Seen);
  }
}

async function judge(storyFile: string, callsFile: string): Promise<SplitJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as SplitStory;
  const callsOf = new Map<string, CallRecord[]>();
  for (const call of await readRecords(callsFile)) {
    const name = `${call.functionName}/${call.key}`;
    const calls = callsOf.get(name) ?? [];
    callsOf.set(name, [...calls, call]);
  }
  const client = await connect<Functions>({ nodes: story.addresses });
  for (const entity of story.entities) {
    const calls = callsOf.get(`${entity.functionName}/${entity.key}`) ?? [];
    const isNote = entity.functionName === "note";
    judgeAnswers(entity, calls);
    judgeCopies(entity, calls);
    const seen = await client.get(isNote ? "note" : "ledger", entity.key).read();
    judgeState("in a fresh client", entity, calls, seen);
    if (isNote) judgeTags("in a fresh client", calls, seen);
    if (isNote && bothSidesWrote(calls)) counts.add("texts edited on both sides", 1);
  }
  await client.close();
  counts.add("entities judged", story.entities.length);
  return { counts: counts.asObject(), faults: faults.asObject() };
}

function bothSidesWrote(calls: readonly CallRecord[]): boolean {
  return ["A", "B"].every((side) =>
    calls.some((call) => call.from === side && call.operation.endsWith("pend") && isOk(call)),
  );
}

const [storyFile = "", callsFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile, callsFile)));
