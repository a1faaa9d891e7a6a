/**
 * Judges a run of `sessions` in a process of its own, by the load generator's record alone. Hits of a page
 * are never taken back, and a chain has one client at a time: what any of its clients was told of a key
 * before a read was sent is the least that the read may show.
 * Usage: `tsx sessions.ts STORY.json CALLS.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { readRecords } from "../../support/record-file.ts";
import type { SessionRecord } from "../session-messages.ts";
import type { SessionDisturbance, SessionJudgement, SessionStory } from "./sessions-story.ts";

/** What a chain knows of a key. */
interface Known {
  /** At least so many hits. */
  readonly hits: number;
  /** The call that told it. */
  readonly by: SessionRecord;
}

/** What was known when a call was sent, by the whole chain and by the client alone that called. */
interface Floor {
  readonly call: SessionRecord;
  readonly chain: Known | undefined;
  readonly own: Known | undefined;
  /** The node that ran the chain's newest hit of the key, so far as that is known: its primary then. */
  readonly hitNode: string;
}

const byToken = "judged reads with only the token to go by";
const passedOnByOwner = "of them passed on by an owner that was asked";
const counts: Record<string, number> = {
  "hits answered": 0,
  "of them asked for by another page": 0,
  "reads answered": 0,
  [byToken]: 0,
  "judged reads from the primary": 0,
  "judged reads from any owner": 0,
  "of them answered by a node that ran no hit of the chain's last": 0,
  [passedOnByOwner]: 0,
  "of them passed on by the node that their client stays with": 0,
  "calls that ended in an error": 0,
  "of them indeterminate": 0,
};
const faults: Record<string, number> = {
  "stale reads: less than what was written": 0,
  "stale reads: less than what was read": 0,
  "hits that count on from less than was known": 0,
  "answers that show more than was written": 0,
  "degraded answers": 0,
  "keys that nobody could read in the end": 0,
};
let explanation = "";

function add(to: Record<string, number>, name: string, by = 1): void {
  to[name] = (to[name] ?? 0) + by;
}

function isHit({ operation }: SessionRecord): boolean {
  return operation !== "hits";
}

function count(record: SessionRecord): void {
  const { answer, operation, last } = record;
  if (answer.type === "failed") {
    add(counts, "calls that ended in an error");
    add(counts, `errors: ${isHit(record) ? "hits" : "reads"}, ${answer.code}`);
    if (answer.indeterminate) add(counts, "of them indeterminate");
    if (last) add(faults, "keys that nobody could read in the end");
    return;
  }
  if (answer.degraded) add(faults, "degraded answers");
  add(counts, isHit(record) ? "hits answered" : "reads answered");
  if (operation === "hitOther") add(counts, "of them asked for by another page");
}

/** Of the calls of one chain to one key: what was known when each was sent. */
function floorsOf(calls: readonly SessionRecord[]): Floor[] {
  const moments = calls
    .flatMap((call) => [
      { at: call.sentAt, type: "asked" as const, call },
      { at: call.answeredAt, type: "told" as const, call },
    ])
    // What was told at the same time as something was asked may have come too late for it.
    .sort((a, b) => a.at - b.at || (a.type === b.type ? 0 : a.type === "asked" ? -1 : 1));
  const floors: Floor[] = [];
  let chain: Known | undefined;
  let own: Known | undefined;
  let hitNode = "";
  for (const { type, call } of moments) {
    if (own !== undefined && own.by.holder !== call.holder) own = undefined;
    if (type === "asked") {
      floors.push({ call, chain, own, hitNode });
    } else if (call.value !== undefined) {
      const known = { hits: call.value, by: call };
      if (chain === undefined || known.hits > chain.hits) chain = known;
      if (own === undefined || known.hits > own.hits) own = known;
      if (call.operation === "hit" && call.answer.type === "ok") hitNode = call.answer.node;
    }
  }
  return floors;
}

/** Whether it is a read that could have been stale. */
function judge({ call, chain, own, hitNode }: Floor): boolean {
  const { value, answer } = call;
  if (chain === undefined || value === undefined || answer.type !== "ok") return false;
  if (isHit(call)) {
    if (value <= chain.hits) add(faults, "hits that count on from less than was known");
    return false;
  }
  if (chain.hits > (own?.hits ?? 0)) add(counts, byToken);
  countWays(call, answer.node, answer.hops, hitNode);
  if (value >= chain.hits) return true;
  const known = isHit(chain.by) ? "written" : "read";
  add(faults, `stale reads: less than what was ${known}`);
  if (explanation === "") explanation = explain(call, value, chain);
  return true;
}

function countWays(
  { readFrom, direct }: SessionRecord,
  node: string,
  hops: number,
  hitNode: string,
): void {
  add(counts, `judged reads from ${readFrom === "any" ? "any owner" : "the primary"}`);
  if (readFrom !== "any") return;
  if (hitNode !== "" && node !== hitNode) {
    add(counts, "of them answered by a node that ran no hit of the chain's last");
  }
  if (hops < 2) return;
  const asked = "of them passed on by the node that their client stays with";
  add(counts, direct ? passedOnByOwner : asked);
}

function explain(read: SessionRecord, value: number, { hits, by }: Known): string {
  const node = read.answer.type === "ok" ? read.answer.node : "";
  const agoMs = (read.sentAt - by.answeredAt).toFixed(1);
  return (
    `${read.call}: client ${String(read.holder)} of chain ${String(read.chain)} read ${String(value)} hits of ` +
    `${read.key} from ${node} (${String(read.readFrom)}); ${String(hits)} were known by ${by.call}, ` +
    `a "${by.operation}" of client ${String(by.holder)} that was answered ${agoMs} ms before`
  );
}

/**
 * A page shows no more hits than had been sent by then. Refusals are left out, but for those of a handler
 * that asks: what it had asked for may have taken effect.
 */
function countSurplus(records: readonly SessionRecord[]): void {
  const sentAt = new Map<string, number[]>();
  for (const call of records) {
    const { operation, answer } = call;
    const isRefused = operation === "hit" && answer.type === "failed" && !answer.indeterminate;
    if (isHit(call) && !isRefused) groupOf(sentAt, call.key).push(call.sentAt);
  }
  for (const times of sentAt.values()) times.sort((a, b) => a - b);
  for (const { key, value, answeredAt } of records) {
    if (value === undefined || value === 0) continue;
    const possible = sentAt.get(key)?.[value - 1];
    if (possible === undefined || possible > answeredAt) {
      add(faults, "answers that show more than was written");
    }
  }
}

function groupOf<T>(groups: Map<string, T[]>, name: string): T[] {
  const known = groups.get(name) ?? [];
  groups.set(name, known);
  return known;
}

function wasDuring(
  { at, backAt }: SessionDisturbance,
  { sentAt, answeredAt }: SessionRecord,
): boolean {
  return sentAt < backAt && answeredAt > at;
}

async function judgeAll(storyFile: string, callsFile: string): Promise<SessionJudgement> {
  const { disturbances } = JSON.parse(await readFile(storyFile, "utf8")) as SessionStory;
  const records = (await readRecords(callsFile)) as SessionRecord[];
  const byChainAndKey = new Map<string, SessionRecord[]>();
  for (const record of records) {
    count(record);
    groupOf(byChainAndKey, `${String(record.chain)} ${record.key}`).push(record);
  }
  countSurplus(records);
  const judged = [...byChainAndKey.values()]
    .flatMap(floorsOf)
    .filter(judge)
    .map(({ call }) => call);
  return {
    counts,
    faults,
    judged: judged.length,
    judgedByToken: counts[byToken] ?? 0,
    passedOn: counts[passedOnByOwner] ?? 0,
    during: disturbances.map((one) => judged.filter((call) => wasDuring(one, call)).length),
    explanation,
  };
}

const [storyFile = "", callsFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judgeAll(storyFile, callsFile)));
