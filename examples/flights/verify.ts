/**
 * A process of its own, with a fresh client: compares what the cluster holds with the file and
 * prints the comparison as one line of JSON. Usage: `tsx examples/flights/verify.ts ws://…`
 */
import { connect } from "latticework/client";
import { compareWithCount } from "./compare.ts";
import { countFlights } from "./count.ts";
import type { Functions } from "./functions.ts";
import { readFlights } from "./records.ts";

const client = await connect<Functions>({ nodes: process.argv.slice(2) });
const comparison = await compareWithCount(client, countFlights(await readFlights()));
await client.close();
console.log(JSON.stringify(comparison));
