/**
 * The plain sequential count that the cluster's result is compared with: one pass over the file
 * with ordinary maps. It shares only the small pure functions that name a route and a bucket.
 */
import { delayBucket, routeKey, withFlight, type Flight, type LatestFlight } from "./functions.ts";

export interface AirportCount {
  departures: number;
  arrivals: number;
  delay: number;
  worstDelay: number | null;
  readonly destinations: Record<string, number>;
  reached: readonly string[];
}

export interface RouteCount {
  flights: number;
  distance: number;
  readonly delays: Record<string, number>;
  latest: readonly LatestFlight[];
}

export interface FlightCount {
  readonly airports: ReadonlyMap<string, AirportCount>;
  readonly routes: ReadonlyMap<string, RouteCount>;
}

export function countFlights(flights: readonly Flight[]): FlightCount {
  const airports = new Map<string, AirportCount>();
  const routes = new Map<string, RouteCount>();
  for (const flight of flights) {
    const origin = entry(airports, flight.origin, emptyAirport);
    origin.departures += 1;
    origin.delay += flight.delay;
    origin.worstDelay = Math.max(origin.worstDelay ?? -Infinity, flight.delay);
    bump(origin.destinations, flight.destination);
    entry(airports, flight.destination, emptyAirport).arrivals += 1;

    const route = entry(routes, routeKey(flight), emptyRoute);
    route.flights += 1;
    route.distance = Math.max(route.distance, flight.distance);
    bump(route.delays, delayBucket(flight.delay));
    route.latest = withFlight(route.latest, flight);
  }
  for (const airport of airports.values())
    airport.reached = Object.keys(airport.destinations).sort();
  return { airports, routes };
}

function emptyAirport(): AirportCount {
  return { departures: 0, arrivals: 0, delay: 0, worstDelay: null, destinations: {}, reached: [] };
}

function emptyRoute(): RouteCount {
  return { flights: 0, distance: 0, delays: {}, latest: [] };
}

function entry<V>(map: Map<string, V>, key: string, empty: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = empty()));
  return value;
}

function bump(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}
