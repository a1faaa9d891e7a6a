/**
 * A process of its own, with a fresh client: compares what the cluster holds with the file and
 * prints the comparison as one line of JSON.
 * Usage: `tsx examples/flights/verify.ts [--flights N] [--record FILE] ws://…`
 */
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { connect } from "latticework/client";
import { compareWithCount } from "./compare.ts";
import { countFlights } from "./count.ts";
import type { Functions } from "./functions.ts";
import { readFlights } from "./records.ts";
import type { AnsweredCall } from "./replay.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { flights: { type: "string" }, record: { type: "string" } },
});
const all = await readFlights();
const flights = values.flights === undefined ? all : all.slice(0, Number(values.flights));
const client = await connect<Functions>({ nodes: positionals });
const comparison = await compareWithCount(client, countFlights(flights));
await client.close();
const recorded = values.record === undefined ? undefined : await readAnswered(values.record);
console.log(JSON.stringify({ ...comparison, recorded }));

/** Flights that the record names as answered, each once. */
async function readAnswered(file: string): Promise<number> {
  const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  return new Set(lines.map((line) => (JSON.parse(line) as AnsweredCall).flight)).size;
}
