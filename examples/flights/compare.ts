/** Compares every airport and route of the cluster with the plain count of the file. */
import { isDeepStrictEqual } from "node:util";
import type { Client } from "latticework/client";
import type { FlightCount } from "./count.ts";
import type { Functions } from "./functions.ts";

export interface Comparison {
  readonly airports: number;
  readonly routes: number;
  /** Departures, arrivals and flights of routes that the cluster counted. */
  readonly flights: {
    readonly departures: number;
    readonly arrivals: number;
    readonly routes: number;
  };
  /** How many of them are missing, and how many are counted more than once. */
  readonly lost: number;
  readonly double: number;
  /** Calls that the caller's own record names as answered; without a record `undefined`. */
  readonly recorded?: number | undefined;
  /** Names of airports and routes that differ in anything. */
  readonly different: readonly string[];
}

/** Queries under way at once. */
const concurrency = 128;

export async function compareWithCount(
  client: Client<Functions>,
  expected: FlightCount,
): Promise<Comparison> {
  const tally = { departures: 0, arrivals: 0, routes: 0, lost: 0, double: 0 };
  const different: string[] = [];
  const differ = (name: string, is: object, shouldBe: object): void => {
    if (!isDeepStrictEqual(is, shouldBe)) different.push(name);
  };
  const weigh = (is: number, shouldBe: number): number => {
    tally.lost += Math.max(0, shouldBe - is);
    tally.double += Math.max(0, is - shouldBe);
    return is;
  };
  await forEach([...expected.airports], async ([key, count]) => {
    const summary = await client.get("airport", key).summary();
    tally.departures += weigh(summary.departures, count.departures);
    tally.arrivals += weigh(summary.arrivals, count.arrivals);
    differ(`airport/${key}`, summary, count);
  });
  await forEach([...expected.routes], async ([key, count]) => {
    const summary = await client.get("route", key).summary();
    tally.routes += weigh(summary.flights, count.flights);
    differ(`route/${key}`, summary, count);
  });
  const { departures, arrivals, routes, lost, double } = tally;
  return {
    airports: expected.airports.size,
    routes: expected.routes.size,
    flights: { departures, arrivals, routes },
    lost,
    double,
    different,
  };
}

async function forEach<T>(items: T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items];
  const worker = async (): Promise<void> => {
    for (let item = rest.pop(); item !== undefined; item = rest.pop()) await run(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
