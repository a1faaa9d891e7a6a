/**
 * Judges a run of `timers` in a process of its own: what every key shows through a fresh client, against
 * the timers that were set.
 * Usage: `tsx timers.ts STORY.json`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect, type Client } from "latticework/client";
import type { Functions } from "../functions/alarms.ts";
import type { AlarmPlan, TimersJudgement, TimersStory } from "./timers-story.ts";

const concurrency = 64;
/** What nobody shows for so long is lost to its callers. */
const readTimeoutMs = 10_000;

const counts: Record<string, number> = {
  "timers set": 0,
  "of them due in a takeover": 0,
  "of them due before they were set": 0,
  "of them judged by how late": 0,
  "latest of those due in a takeover (ms)": 0,
};
const faults: Record<string, number> = {
  "timers that did not take effect": 0,
  "timers that took effect twice": 0,
  "timers that still wait": 0,
  "keys that nobody could read": 0,
};
const lateMs: number[] = [];

function add(to: Record<string, number>, name: string, by = 1): void {
  to[name] = (to[name] ?? 0) + by;
}

async function judgeKey(
  client: Client<Functions>,
  { key, wishes, setAt }: AlarmPlan,
  takeovers: TimersStory["takeovers"],
): Promise<void> {
  const handle = client.get("alarm", key).with({ timeoutMs: readTimeoutMs });
  const shown = await handle.read().catch(() => undefined);
  if (shown === undefined) {
    add(faults, "keys that nobody could read");
    return;
  }
  add(faults, "timers that still wait", shown.waiting.length);
  for (const { id, at } of wishes) {
    const rings = shown.rings[id] ?? 0;
    add(counts, "timers set");
    if (rings === 0) add(faults, "timers that did not take effect");
    if (rings > 1) add(faults, "timers that took effect twice", rings - 1);
    const late = Math.max(0, (shown.rungAt[id] ?? at) - at);
    if (takeovers.some(({ from, until }) => at >= from && at <= until)) {
      const latest = "latest of those due in a takeover (ms)";
      add(counts, "of them due in a takeover");
      counts[latest] = Math.max(counts[latest] ?? 0, late);
    } else if (at < setAt) add(counts, "of them due before they were set");
    else lateMs.push(late);
  }
}

async function judge(storyFile: string): Promise<TimersJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as TimersStory;
  const client = await connect<Functions>({ nodes: story.addresses });
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let n = next++; n < story.plans.length; n = next++) {
      await judgeKey(client, story.plans[n]!, story.takeovers);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, reader));
  await client.close();
  lateMs.sort((a, b) => a - b);
  counts["of them judged by how late"] = lateMs.length;
  const share = (of: number): number => lateMs[Math.ceil(lateMs.length * of) - 1] ?? 0;
  return { counts, faults, lateMs: { p50: share(0.5), p99: share(0.99), max: share(1) } };
}

const [storyFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile)));
