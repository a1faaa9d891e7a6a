/**
 * Airports and routes as functions with state. One record of the flight data is one call to its
 * origin airport, whose handler sends the rest of the news on: to the destination airport and to
 * the route, each exactly once, after the departure itself is safe.
 */
import { crdt, defineFunction } from "latticework";

/** One record of the data set; `number` is its place in the file and breaks ties of date. */
export interface Flight {
  readonly number: number;
  /** `YYYY/MM/DD HH:mm`, so that dates compare as strings. */
  readonly date: string;
  /** Minutes; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** A flight as a route remembers it. */
export interface LatestFlight {
  readonly number: number;
  readonly date: string;
  readonly delay: number;
}

const latestKept = 10;

export const route = defineFunction({
  description: "A directed connection between two airports, keyed ORIGIN-DESTINATION.",
  // An exact count is worth more here than service on the small side of a split network.
  whenSplit: "refuse",
  state: {
    flights: crdt.counter(),
    distance: crdt.max(),
    delays: crdt.map(crdt.counter()),
    latest: crdt.register<readonly LatestFlight[]>([]),
  },
  handlers: {
    flown(ctx, flight: Flight) {
      ctx.state.flights.add(1);
      ctx.state.distance.observe(flight.distance);
      ctx.state.delays.at(delayBucket(flight.delay)).add(1);
      ctx.state.latest.set(withFlight(ctx.state.latest.value, flight));
    },
  },
  queries: {
    summary: ({ state }) => ({
      flights: state.flights.value,
      distance: state.distance.value ?? 0,
      delays: Object.fromEntries(state.delays.entries()),
      latest: state.latest.value,
    }),
  },
});

export const airport = defineFunction({
  description: "An airport, keyed by its IATA code.",
  whenSplit: "refuse",
  state: {
    departures: crdt.counter(),
    arrivals: crdt.counter(),
    delay: crdt.counter(),
    worstDelay: crdt.max(),
    destinations: crdt.map(crdt.counter()),
    reached: crdt.set<string>(),
  },
  handlers: {
    depart(ctx, flight: Flight) {
      ctx.state.departures.add(1);
      ctx.state.delay.add(flight.delay);
      ctx.state.worstDelay.observe(flight.delay);
      ctx.state.destinations.at(flight.destination).add(1);
      ctx.state.reached.add(flight.destination);
      ctx.send(airport, flight.destination).arrive();
      ctx.send(route, routeKey(flight)).flown(flight);
    },
    arrive(ctx) {
      ctx.state.arrivals.add(1);
    },
  },
  queries: {
    summary: ({ state }) => ({
      departures: state.departures.value,
      arrivals: state.arrivals.value,
      delay: state.delay.value,
      worstDelay: state.worstDelay.value ?? null,
      destinations: Object.fromEntries(state.destinations.entries()),
      reached: [...state.reached.values()].sort(),
    }),
  },
});

export const functions = { airport, route };
export type Functions = typeof functions;

/** `ORD-LAX`. */
export function routeKey(flight: Flight): string {
  return `${flight.origin}-${flight.destination}`;
}

/** The quarter of an hour that a delay falls into, for example `15…29`; ends are open. */
export function delayBucket(delay: number): string {
  if (delay < 0) return "early";
  if (delay >= 120) return "120…";
  const from = Math.floor(delay / 15) * 15;
  return `${String(from)}…${String(from + 14)}`;
}

/** The latest flights by date, then by number, newest first. */
export function withFlight(latest: readonly LatestFlight[], flight: Flight): LatestFlight[] {
  const { number, date, delay } = flight;
  return [...latest, { number, date, delay }].sort(newestFirst).slice(0, latestKept);
}

function newestFirst(a: LatestFlight, b: LatestFlight): number {
  if (a.date !== b.date) return a.date < b.date ? 1 : -1;
  return b.number - a.number;
}
