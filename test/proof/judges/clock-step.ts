/**
 * Judges a run of `clock-step` in a process of its own. Every stamp that an owner holds must lie between
 * the sending of the last call that was acknowledged and the last answer, by the wall clock of the
 * parent, which nobody stepped. Every register must show the later of its two writes, through a fresh
 * client and on each owner.
 * Usage: `clock-step.ts STORY.json CALLS.jsonl STAMPS.jsonl`; prints one line of JSON.
 */
import { readFile } from "node:fs/promises";
import { connect } from "latticework/client";
import type { Functions } from "../functions/tallies.ts";
import type { TallyRecord } from "../tally-messages.ts";
import { readRecords } from "../../support/record-file.ts";
import type { ClockJudgement, ClockStory, StampLine } from "./clock-story.ts";

/** Clocks of one machine that probes have measured on each other agree better, but a stall may hide it. */
const toleranceMs = 500;
const readTimeoutMs = 10_000;

const counts = {
  "stamps read from owners": 0,
  "calls that a stepped node answered meanwhile": 0,
  "registers written on both sides": 0,
};
const faults = {
  "stamps from the future": 0,
  "stamps from the past": 0,
  "later writes that lost (fresh client)": 0,
  "later writes that lost (on an owner)": 0,
};

/** When the last call of an entity that was acknowledged was sent, and when any was last answered. */
interface LastCall {
  sentAt: number;
  answeredAt: number;
}

function lastCalls(calls: readonly TallyRecord[]): Map<string, LastCall> {
  const last = new Map<string, LastCall>();
  for (const { functionName, key, sentAt, answeredAt, answer } of calls) {
    const name = `${functionName}/${key}`;
    const known = last.get(name) ?? { sentAt: -Infinity, answeredAt: -Infinity };
    if (answer.type === "ok") known.sentAt = Math.max(known.sentAt, sentAt);
    known.answeredAt = Math.max(known.answeredAt, answeredAt);
    last.set(name, known);
  }
  return last;
}

function judgeStamps(
  { wallOffsetMs, steps }: ClockStory,
  calls: readonly TallyRecord[],
  stamps: readonly StampLine[],
): void {
  for (const { answer, sentAt, answeredAt } of calls) {
    if (answer.type !== "ok") continue;
    const isMeanwhile = steps.some(
      ({ node, from, until }) => node === answer.node && sentAt >= from && answeredAt <= until,
    );
    if (isMeanwhile) counts["calls that a stepped node answered meanwhile"] += 1;
  }
  const last = lastCalls(calls);
  for (const { functionName, key, stamps: held, readAt } of stamps) {
    const call = last.get(`${functionName}/${key}`);
    if (call === undefined) continue;
    for (const stampMs of Object.values(held)) {
      counts["stamps read from owners"] += 1;
      const at = stampMs - wallOffsetMs;
      if (at > readAt + toleranceMs) faults["stamps from the future"] += 1;
      if (at < call.sentAt - toleranceMs) faults["stamps from the past"] += 1;
    }
  }
}

async function judgeRaces({ addresses, races }: ClockStory): Promise<void> {
  const client = await connect<Functions>({ nodes: addresses });
  for (const { key, later, isDecided, held } of races) {
    if (!isDecided) continue;
    counts["registers written on both sides"] += 1;
    const shown = await client.get("latest", key).with({ timeoutMs: readTimeoutMs }).read();
    if (shown !== later) faults["later writes that lost (fresh client)"] += 1;
    const wrong = Object.values(held).filter((value) => value !== later).length;
    faults["later writes that lost (on an owner)"] += wrong;
  }
  await client.close();
}

const [storyFile = "", callsFile = "", stampsFile = ""] = process.argv.slice(2);
const story = JSON.parse(await readFile(storyFile, "utf8")) as ClockStory;
const calls = (await readRecords(callsFile)) as TallyRecord[];
const lines = (await readFile(stampsFile, "utf8")).split("\n").filter((line) => line !== "");
judgeStamps(
  story,
  calls,
  lines.map((line) => JSON.parse(line) as StampLine),
);
await judgeRaces(story);
const judgement: ClockJudgement = { counts, faults };
console.log(JSON.stringify(judgement));
