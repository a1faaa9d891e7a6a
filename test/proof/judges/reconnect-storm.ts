/**
 * Judges a run of `reconnect-storm` in a process of its own: by the generators' records, and by
 * reading what every client counted through a fresh client.
 * Usage: `tsx reconnect-storm.ts STORY.json CALLS.jsonl …`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import { readRecords } from "../../support/record-file.ts";
import type { Functions } from "../functions/tallies.ts";
import { keyOf, type StormRecord } from "../storm-messages.ts";
import type { Storm, StormJudgement, StormStory } from "./storm-story.ts";

const isOk = ({ answer }: StormRecord): boolean => answer.type === "ok";
const isIndeterminate = ({ answer }: StormRecord): boolean =>
  answer.type === "failed" && answer.indeterminate;

async function judge(storyFile: string, callsFiles: readonly string[]): Promise<StormJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as StormStory;
  const records = await Promise.all(callsFiles.map((file) => readRecords(file)));
  const calls = records.flat() as StormRecord[];
  const faults = { "calls not answered ok": 0, "counted too little": 0, "counted too much": 0 };
  faults["calls not answered ok"] = calls.filter((call) => !isOk(call)).length;
  const client = await connect<Functions>({ nodes: story.addresses });
  const callsOf = groupByKey(calls);
  for (let n = 0; n < story.clients; n++) {
    const own = callsOf.get(keyOf(n)) ?? [];
    const acknowledged = own.filter(isOk).length;
    const possible = acknowledged + own.filter(isIndeterminate).length;
    const count = await client.get("strictTally", keyOf(n)).read();
    if (count < acknowledged) faults["counted too little"] += acknowledged - count;
    if (count > possible) faults["counted too much"] += count - possible;
  }
  await client.close();
  return {
    counts: {
      "calls sent": calls.length,
      "of them acknowledged": calls.filter(isOk).length,
      "of them of unknown outcome": calls.filter(isIndeterminate).length,
      "clients whose count was read": story.clients,
    },
    faults,
    servedMs: story.storms.map((storm) => servedMs(storm, story.clients, calls)),
  };
}

function groupByKey(calls: readonly StormRecord[]): ReadonlyMap<string, readonly StormRecord[]> {
  const groups = new Map<string, StormRecord[]>();
  for (const call of calls) {
    const group = groups.get(call.key);
    if (group === undefined) groups.set(call.key, [call]);
    else group.push(call);
  }
  return groups;
}

/** Where a client was not served the last one's time is past all bounds; JSON has no `Infinity`. */
function servedMs(
  { name, brokenAt }: Storm,
  clients: number,
  calls: readonly StormRecord[],
): StormJudgement["servedMs"][number] {
  const times = calls
    .filter((call) => call.from === name && isOk(call))
    .map(({ answeredAt }) => answeredAt - brokenAt)
    .sort((a, b) => a - b);
  const last = times.length === clients ? times.at(-1)! : Number.MAX_VALUE;
  return { median: times[Math.floor(times.length / 2)] ?? Number.MAX_VALUE, last };
}

const [storyFile = "", ...callsFiles] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile, callsFiles)));
