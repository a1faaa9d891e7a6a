/**
 * Judges a break of the network in a process of its own: by the load generator's record of calls,
 * by the copies that each owner held after the heal, and by reading everything through a fresh
 * client. Usage: `tsx split-merge.ts STORY.json CALLS.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import { readRecords, type CallRecord } from "../../support/record-file.ts";
import type { Functions } from "../functions/notes.ts";
import type { SplitJudgement, SplitStory, Standing, StoryEntity } from "./split-story.ts";

/** As a query of the proof's functions, or as a watcher of their state would see it. */
interface Seen {
  readonly text?: string;
  readonly count?: number;
  readonly tags?: readonly string[];
  readonly fields?: Readonly<Record<string, string>>;
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
  "calls refused within reach of a majority",
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
    `removed fields back ${where}`,
    `fields put concurrently that are gone ${where}`,
    `fields lost ${where}`,
    `fields without the value of a last writer ${where}`,
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

function judgeAnswers(entity: StoryEntity, calls: readonly CallRecord[], standing: Standing): void {
  const broken = calls.filter(({ from }) => from !== "before");
  for (const call of broken.filter(isEdit)) {
    const { answer } = call;
    counts.add("edits sent while the network was broken", 1);
    if (answer.type === "ok") counts.add("of them acknowledged", 1);
    if (answer.type === "ok" && answer.degraded) counts.add("of these degraded", 1);
    if (isIndeterminate(call)) counts.add("edits of unknown outcome", 1);
    if (standing === "apart") judgeApart(entity, call);
    else judgeTogether(entity, call, standing);
  }
  const undegraded = broken.filter(({ answer }) => answer.type === "ok" && !answer.degraded);
  const sides = new Set(undegraded.map(({ from }) => from));
  if (standing === "apart" && sides.size > 1) {
    faults.add("keys answered without degraded by both sides", 1);
  }
}

function judgeApart(entity: StoryEntity, call: CallRecord): void {
  const { answer, from } = call;
  if (entity.functionName === "ledger" && from !== entity.majority) {
    counts.add("ledger calls of the minority side", 1);
    if (answer.type === "ok") faults.add("ledger calls that the minority side answered", 1);
    // Its last attempt was under way at its deadline. What counts is that it took no effect.
    if (isIndeterminate(call)) counts.add("of them with an outcome unknown to the caller", 1);
  } else if (answer.type === "failed" && (entity.served as string[]).includes(from)) {
    faults.add("calls refused on a side that had an owner", 1);
  }
}

/** The sides reach each other, by another way or from time to time. */
function judgeTogether(
  { functionName }: StoryEntity,
  { answer }: CallRecord,
  standing: Standing,
): void {
  if (answer.type === "ok") return;
  if (functionName === "note") faults.add("calls refused on a side that had an owner", 1);
  else if (standing === "indirect") faults.add("calls refused within reach of a majority", 1);
  else counts.add("ledger calls refused while the network came and went", 1);
}

/** Whether the call may show in the state: on the minority side no call of a ledger may. */
function mayShow(entity: StoryEntity, call: CallRecord, standing: Standing): boolean {
  const isRefused =
    standing === "apart" &&
    entity.functionName === "ledger" &&
    call.from !== "before" &&
    call.from !== entity.majority;
  return isOk(call) || (isIndeterminate(call) && !isRefused);
}

/** Its caller agreed to degraded service while it was under way at a change of the network. */
function mayShowTwice({ answer }: CallRecord, standing: Standing): boolean {
  return standing !== "apart" && answer.type === "ok" && answer.degraded;
}

interface Judged {
  readonly where: string;
  readonly entity: StoryEntity;
  readonly calls: readonly CallRecord[];
  readonly standing: Standing;
}

function judgeState(judged: Judged, seen: Seen): void {
  const { where, entity, calls, standing } = judged;
  for (const call of calls) {
    if (call.operation !== "append" && call.operation !== "prepend") continue;
    const found = (seen.text ?? "").split(call.input as string).length - 1;
    if (isOk(call) && found === 0) faults.add(`edits missing ${where}`, 1);
    if (!mayShow(entity, call, standing) && found > 0) {
      faults.add(`refused edits present ${where}`, 1);
    }
    if (found <= 1) continue;
    if (mayShowTwice(call, standing)) counts.add(`edits twice, as agreed, ${where}`, found - 1);
    else faults.add(`edits present twice ${where}`, found - 1);
  }
  const adds = calls.filter(({ operation }) => operation === "add");
  const acknowledged = adds.filter(isOk).length;
  const possible =
    adds.filter((call) => mayShow(entity, call, standing)).length +
    adds.filter((call) => mayShowTwice(call, standing)).length;
  const count = seen.count ?? 0;
  faults.add(`counted too little ${where}`, Math.max(0, acknowledged - count));
  faults.add(`counted too much ${where}`, Math.max(0, count - possible));
  if (entity.functionName === "note") {
    judgeTags(judged, seen);
    judgeFields(judged, seen);
  }
}

/** What the entity's calls did to an element: who did it, and whether that was acknowledged. */
function wasDone(
  calls: readonly CallRecord[],
  operation: string,
  name: string,
  from: string,
): boolean {
  return calls.some(
    (call) =>
      call.operation === operation &&
      nameOf(call.input) === name &&
      call.from === from &&
      isOk(call),
  );
}

function nameOf(input: unknown): string {
  return typeof input === "string" ? input : (input as { readonly name: string }).name;
}

function judgeTags({ where, calls, standing }: Judged, seen: Seen): void {
  const tags = new Set(seen.tags ?? []);
  const was = (operation: string, tag: string, from: string): boolean =>
    wasDone(calls, operation, tag, from);
  if (was("untag", "gone", "A") && tags.has("gone")) faults.add(`removed tags back ${where}`, 1);
  // Where the sides see each other's edits it is not known which of the two was the last.
  if (standing === "apart" && was("tag", "again", "B") && !tags.has("again")) {
    faults.add(`tags added concurrently that are gone ${where}`, 1);
  }
  if (was("tag", "kept", "before") && !tags.has("kept")) faults.add(`tags lost ${where}`, 1);
}

/** A put wins over a concurrent removal, and of several puts the last of one of the writers stays. */
function judgeFields({ where, calls, standing }: Judged, { fields = {} }: Seen): void {
  const was = (operation: string, name: string, from: string): boolean =>
    wasDone(calls, operation, name, from);
  if (was("drop", "gone", "A") && "gone" in fields) faults.add(`removed fields back ${where}`, 1);
  if (standing === "apart" && was("put", "again", "B") && fields["again"] !== "B") {
    faults.add(`fields put concurrently that are gone ${where}`, 1);
  }
  if (was("put", "kept", "before") && !("kept" in fields)) faults.add(`fields lost ${where}`, 1);
  const puts = calls.filter(
    ({ input, operation }) => operation === "put" && nameOf(input) === "shared",
  );
  const last = ["A", "B"].map((side) =>
    puts.filter((put) => put.from === side && isOk(put)).at(-1),
  );
  const possible = [...last, ...puts.filter(isIndeterminate)].map(
    (put) => (put?.input as { readonly value: string } | undefined)?.value,
  );
  if (!possible.includes(fields["shared"])) {
    faults.add(`fields without the value of a last writer ${where}`, 1);
  }
}

function judgeCopies(judged: Omit<Judged, "where">): void {
  const copies = Object.values(judged.entity.copies);
  const digests = new Set(copies.map((copy) => copy?.digest));
  const hashes = new Set(copies.map((copy) => copy?.contentHash));
  counts.add("copies compared", copies.length);
  if (copies.length === 0) faults.add("entities without an owner", 1);
  if (digests.size > 1) faults.add("entities with unequal digests", 1);
  if (hashes.size > 1) faults.add("entities with unequal contents", 1);
  for (const copy of copies) {
    if (copy === null) faults.add("owners without a copy", 1);
    else judgeState({ ...judged, where: "on an owner" }, copy.plain as Seen);
  }
}

async function judge(storyFile: string, callsFile: string): Promise<SplitJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as SplitStory;
  const { standing } = story;
  const callsOf = new Map<string, CallRecord[]>();
  for (const call of await readRecords(callsFile)) {
    const name = `${call.functionName}/${call.key}`;
    const calls = callsOf.get(name);
    if (calls === undefined) callsOf.set(name, [call]);
    else calls.push(call);
  }
  const client = await connect<Functions>({ nodes: story.addresses });
  for (const entity of story.entities) {
    const calls = callsOf.get(`${entity.functionName}/${entity.key}`) ?? [];
    const isNote = entity.functionName === "note";
    judgeAnswers(entity, calls, standing);
    judgeCopies({ entity, calls, standing });
    const seen = await client.get(isNote ? "note" : "ledger", entity.key).read();
    judgeState({ where: "in a fresh client", entity, calls, standing }, seen);
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
