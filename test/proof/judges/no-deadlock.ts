/**
 * Judges a run of `no-deadlock` in a process of its own: what every entity counted is read through a
 * fresh client, and taken from each owner as it told the parent, and compared with the paths of the
 * calls in the load generator's record. A call that failed may have visited some of its path.
 * Usage: `tsx no-deadlock.ts STORY.json CALLS.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import { readRecords } from "../../support/record-file.ts";
import { askerKey, type VisitRecord, type Way } from "../ask-messages.ts";
import type { Functions } from "../functions/askers.ts";
import type { AskJudgement, AskStory, CallsJudgement } from "./ask-story.ts";

const ways = ["ask", "send"] as const;

/** By entity: visits of calls that were answered `ok`, and of all calls. */
interface Told {
  readonly least: Record<Way, number>;
  readonly most: Record<Way, number>;
}

const faults = {
  "visits lost (fresh client)": 0,
  "visits counted twice (fresh client)": 0,
  "visits lost (on an owner)": 0,
  "visits counted twice (on an owner)": 0,
  "owners without a copy": 0,
  "entities without an owner": 0,
};

function tellByKey(calls: readonly VisitRecord[]): Map<string, Told> {
  const told = new Map<string, Told>();
  for (const { key, input, from, answer } of calls) {
    for (const visited of [key, ...input]) {
      const of = told.get(visited) ?? { least: { ask: 0, send: 0 }, most: { ask: 0, send: 0 } };
      told.set(visited, of);
      if (answer.type === "ok") of.least[from] += 1;
      of.most[from] += 1;
    }
  }
  return told;
}

function compare(
  where: "fresh client" | "on an owner",
  visits: Readonly<Record<Way, number>>,
  { least, most }: Told,
): void {
  for (const way of ways) {
    faults[`visits lost (${where})`] += Math.max(0, least[way] - visits[way]);
    faults[`visits counted twice (${where})`] += Math.max(0, visits[way] - most[way]);
  }
}

function judgeCalls(calls: readonly VisitRecord[]): CallsJudgement {
  const ok = calls.filter(({ answer }) => answer.type === "ok");
  const expired = calls.filter(
    ({ answer }) => answer.type === "failed" && answer.code === "deadline_exceeded",
  );
  const times = Float64Array.from(calls, ({ sentAt, answeredAt }) => answeredAt - sentAt).sort();
  const at = (share: number): number =>
    times[Math.max(0, Math.ceil(times.length * share) - 1)] ?? Infinity;
  return {
    recorded: calls.length,
    ok: ok.length,
    expired: expired.length,
    failed: calls.length - ok.length - expired.length,
    visits: ok.reduce((sum, { input }) => sum + 1 + input.length, 0),
    latencyMs: { p50: at(0.5), p99: at(0.99), max: at(1) },
  };
}

async function judge(storyFile: string, callsFile: string): Promise<AskJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as AskStory;
  const calls = (await readRecords(callsFile)) as VisitRecord[];
  const told = tellByKey(calls);
  const client = await connect<Functions>({ nodes: story.addresses });
  for (let n = 0; n < story.entities; n++) {
    const of = told.get(askerKey(n));
    if (of === undefined) continue;
    compare("fresh client", await client.get("asker", askerKey(n)).visits(), of);
  }
  await client.close();
  for (const { key, visits } of story.copies) {
    const of = told.get(key);
    if (of === undefined) continue;
    if (visits.length === 0) faults["entities without an owner"] += 1;
    for (const held of visits) {
      if (held === null) faults["owners without a copy"] += 1;
      else compare("on an owner", held, of);
    }
  }
  const [ask, send] = ways.map((way) => judgeCalls(calls.filter(({ from }) => from === way)));
  return { calls: { ask: ask!, send: send! }, faults };
}

const [storyFile = "", callsFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile, callsFile)));
