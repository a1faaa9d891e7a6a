/**
 * Judges a run of `linearizable` in a process of its own, by the load generator's record alone: each key
 * is one history, and each history must be linearizable. To see that the checker would have noticed, a
 * stale read is put behind every history that it accepts.
 * Usage: `tsx linearizable.ts STORY.json CALLS.jsonl`; prints one line of JSON.
 */
import { readFile, writeFile } from "node:fs/promises";
import { partitionOf } from "../../../src/ring/partition.ts";
import { checkHistory, historiesByKey } from "../../support/linearizability/check.ts";
import { counter, register, type Model } from "../../support/linearizability/model.ts";
import type { Input, Operation, State } from "../../support/linearizability/operation.ts";
import { readRecords } from "../../support/record-file.ts";
import { lastCalls, stayingAt, type HistoryRecord } from "../history-messages.ts";
import type {
  DisturbanceCounts,
  HistoryDisturbance,
  HistoryJudgement,
  HistoryStory,
} from "./linearizable-story.ts";

const models: Readonly<Record<string, Model>> = { register: register(""), counter: counter() };

const counts: Record<string, number> = {
  calls: 0,
  "writes and additions answered": 0,
  "handlers that only look answered": 0,
  "reads answered": 0,
  indeterminate: 0,
  refused: 0,
  "operations of the shortest history": Infinity,
  "operations of the longest history": 0,
  "operations of unknown outcome in a history, at most": 0,
  "stale reads planted": 0,
};
const faults: Record<string, number> = {
  "histories that are not linearizable": 0,
  "histories of which the checker does not know": 0,
  "planted stale reads that the checker let pass": 0,
  "keys that nobody could read in the end": 0,
  "degraded answers": 0,
};

function add(to: Record<string, number>, name: string, by = 1): void {
  to[name] = (to[name] ?? 0) + by;
}

function isChange({ operation }: HistoryRecord): boolean {
  return operation === "write" || operation === "add";
}

function count(record: HistoryRecord): void {
  const { operation, answer } = record;
  add(counts, "calls");
  if (answer.type === "failed") {
    add(counts, answer.indeterminate ? "indeterminate" : "refused");
    return;
  }
  if (answer.degraded) add(faults, "degraded answers");
  if (isChange(record)) add(counts, "writes and additions answered");
  else if (operation === "look") add(counts, "handlers that only look answered");
  else add(counts, "reads answered");
}

/** `undefined` for what is known not to have run. */
function operationOf(record: HistoryRecord): Operation | undefined {
  const { call, from, functionName, sentAt, answeredAt, answer, value } = record;
  const key = `${functionName}/${record.key}`;
  const told = { id: call, process: from, key, invokedAt: sentAt, input: inputOf(record) };
  if (answer.type === "ok") {
    const process = `${from} by ${answer.node}`;
    return { ...told, process, returnedAt: answeredAt, output: value };
  }
  if (!answer.indeterminate) return undefined;
  return { ...told, returnedAt: undefined, output: undefined };
}

function inputOf({ operation, input }: HistoryRecord): Input {
  if (operation === "write") return { type: "write", value: String(input) };
  return operation === "add" ? { type: "add", by: Number(input) } : { type: "read" };
}

/** The explanation, if it is a violation. */
function judgeHistory(name: string, history: readonly Operation[]): string {
  const unknown = history.filter(({ returnedAt }) => returnedAt === undefined).length;
  note("operations of the shortest history", Math.min, history.length);
  note("operations of the longest history", Math.max, history.length);
  note("operations of unknown outcome in a history, at most", Math.max, unknown);
  const model = models[name.slice(0, name.indexOf("/"))]!;
  const verdict = checkHistory(history, model);
  if (verdict.type === "unknown") add(faults, "histories of which the checker does not know");
  if (verdict.type === "violation") {
    add(faults, "histories that are not linearizable");
    return verdict.explanation;
  }
  const stale = staleReadAfter(history);
  if (verdict.type === "linearizable" && stale !== undefined) {
    add(counts, "stale reads planted");
    if (checkHistory([...history, stale], model).type !== "violation") {
      add(faults, "planted stale reads that the checker let pass");
    }
  }
  return "";
}

function note(name: string, of: (a: number, b: number) => number, value: number): void {
  counts[name] = of(counts[name] ?? 0, value);
}

/** Of something that had been overwritten when the last read was answered, if that was. */
function staleReadAfter(history: readonly Operation[]): Operation | undefined {
  const last = history.findLast(
    ({ process, output }) => process.startsWith(lastCalls) && output !== undefined,
  );
  if (last?.output === undefined || last.returnedAt === undefined) return undefined;
  const invokedAt = last.returnedAt + 1;
  const stale = { ...last, id: "planted", process: "planted", invokedAt };
  return { ...stale, returnedAt: invokedAt + 1, output: staleValue(history, last.output) };
}

function staleValue(history: readonly Operation[], newest: State): State {
  if (typeof newest === "number") return newest - 1;
  const overwritten = history.findLast(
    ({ input, returnedAt }) =>
      input.type === "write" && returnedAt !== undefined && input.value !== newest,
  );
  return overwritten?.input.type === "write" ? overwritten.input.value : "never written";
}

function judgeDisturbance(
  { nodes, at, takenAt, backAt, led, lost }: HistoryDisturbance,
  placed: readonly (readonly [number, HistoryRecord])[],
): DisturbanceCounts {
  const ids = new Set(nodes.map(({ id }) => id));
  const stays = new Set(nodes.map(({ address }) => stayingAt(address)));
  const ledBy = new Set(led);
  const lostBy = new Set(lost);
  const calls = placed.filter(
    ([partition, { sentAt, answeredAt }]) =>
      ledBy.has(partition) && sentAt < backAt && answeredAt > at,
  );
  const late = calls.filter(
    ([partition, { operation, from, sentAt }]) =>
      operation === "read" && stays.has(from) && lostBy.has(partition) && sentAt > takenAt,
  );
  const answered = late.filter(([, { answer }]) => answer.type === "ok" && ids.has(answer.node));
  return { calls: calls.length, lateReads: late.length, answeredReads: answered.length };
}

function countUnread(records: readonly HistoryRecord[]): void {
  const failed = records.filter(
    ({ from, answer }) => from === lastCalls && answer.type === "failed",
  );
  faults["keys that nobody could read in the end"] = new Set(failed.map(({ key }) => key)).size;
}

async function judge(storyFile: string, callsFile: string): Promise<HistoryJudgement> {
  const story = JSON.parse(await readFile(storyFile, "utf8")) as HistoryStory;
  const records = (await readRecords(callsFile)) as HistoryRecord[];
  for (const record of records) count(record);
  countUnread(records);
  const operations = records.map(operationOf).filter((operation) => operation !== undefined);
  const histories = historiesByKey(operations);
  const explanations = [...histories]
    .map(([name, history]) => judgeHistory(name, history))
    .filter((text) => text !== "")
    .sort((a, b) => a.length - b.length);
  await writeFile(story.violationsFile, explanations.map((text) => `${text}\n`).join("\n"));
  const placed = records.map(
    (record) => [partitionOf(record.functionName, record.key, story.partitions), record] as const,
  );
  return {
    counts,
    faults,
    histories: histories.size,
    disturbances: story.disturbances.map((one) => judgeDisturbance(one, placed)),
    explanation: explanations[0] ?? "",
  };
}

const [storyFile = "", callsFile = ""] = process.argv.slice(2);
console.log(JSON.stringify(await judge(storyFile, callsFile)));
