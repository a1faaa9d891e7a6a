/**
 * What all faults share: chance, beginnings and ends, and the record of who was in trouble when. The
 * observer forgives a node what happened while it or the network was at fault.
 */
import { randomBelow, shuffled, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { Life, SimulatedCluster } from "../simulated-cluster.ts";

/** Nobody is declared dead who was silent for less (the least suspicion of the membership). */
const shortStallMs = 4_000;
/** Suspicions of an earlier stall are over by then. */
const stallPauseMs = 10_000;

export class FaultLedger {
  readonly cluster: SimulatedCluster;
  readonly random: Random;
  /** Told of every beginning and end, for the transcript. */
  readonly note: (text: string) => void;
  /** When each host was last under a fault of its own but a stall; Infinity while it is. */
  readonly hostTroubleAt = new Map<string, number>();
  /** When each host last stalled for long enough to be held dead; Infinity while it does. */
  readonly longStallAt = new Map<string, number>();
  /** When it last stalled for less. */
  readonly shortStallAt = new Map<string, number>();
  /** When its last stall, short or long, began. */
  readonly stallBeganAt = new Map<string, number>();
  /** When the network was last under a fault; Infinity while it is. */
  networkTroubleAt = -Infinity;
  /** When anything last began or ended. */
  changedAt = 0;
  /** No fault begins any more. */
  isOver = false;
  readonly #isPatient: boolean;
  readonly #ends = new Set<() => void>();
  #networkFaults = 0;

  constructor(cluster: SimulatedCluster, isPatient: boolean, note: (text: string) => void) {
    this.cluster = cluster;
    this.#isPatient = isPatient;
    this.note = note;
    this.random = seededRandom(cluster.time.seed, "faults");
  }

  get now(): number {
    return this.cluster.time.now;
  }

  /** Processes that are there, stopped ones included. */
  living(): Life[] {
    return [...this.cluster.lives.values()].filter(
      ({ state, node }) => node !== undefined && (state === "up" || state === "paused"),
    );
  }

  /** Those among them that have found the cluster: what it holds is lost with them. */
  members(): Life[] {
    return this.living().filter(({ node }) => node?.parts.birth.exists === true);
  }

  /** Ends all temporary faults. */
  endAll(): void {
    this.isOver = true;
    for (const end of [...this.#ends]) end();
    this.changedAt = this.now;
  }

  after(delayMs: number, run: () => void): void {
    this.cluster.time.timers.after(delayMs, run);
  }

  /** A fault of the network that ends after a while, or when the result is called. */
  network(what: string, durationMs: number, end: () => void): () => void {
    this.#networkFaults += 1;
    this.networkTroubleAt = Infinity;
    return this.temporary(what, durationMs, () => {
      end();
      this.#networkFaults -= 1;
      if (this.#networkFaults === 0) this.networkTrouble();
    });
  }

  networkTrouble(): void {
    if (this.#networkFaults === 0) this.networkTroubleAt = this.now;
  }

  hostFault(what: string, host: string, durationMs: number, end: () => void): void {
    this.trouble(host, Infinity);
    this.temporary(what, durationMs, () => {
      end();
      this.trouble(host, this.now);
    });
  }

  /** A pause, after which timers fire before anything is read. */
  stall(host: string, durationMs: number, end: () => void): void {
    const { longStallAt, shortStallAt } = this;
    const lastAt = Math.max(
      longStallAt.get(host) ?? -Infinity,
      shortStallAt.get(host) ?? -Infinity,
    );
    const isShort = durationMs < shortStallMs && this.now - lastAt > stallPauseMs;
    const stalls = isShort ? shortStallAt : longStallAt;
    stalls.set(host, Infinity);
    this.stallBeganAt.set(host, this.now);
    this.temporary(`pause ${host}`, durationMs, () => {
      end();
      stalls.set(host, this.now);
    });
  }

  trouble(host: string, at: number): void {
    this.hostTroubleAt.set(host, at);
  }

  temporary(what: string, durationMs: number, end: () => void): () => void {
    this.note(`${what} for ${String(Math.round(durationMs))} ms`);
    const finish = (): void => {
      if (!this.#ends.delete(finish)) return;
      this.changedAt = this.now;
      end();
      this.note(`end of ${what}`);
    };
    this.#ends.add(finish);
    this.after(durationMs, finish);
    return finish;
  }

  /** Log-uniform; of a patient run from the longest quarter. */
  lasting(fromMs: number, toMs: number): number {
    const draw = this.random();
    return fromMs * (toMs / fromMs) ** (this.#isPatient ? 0.75 + draw / 4 : draw);
  }

  two(hosts: readonly string[]): readonly [string, string | undefined] {
    const [first = "", second] = this.shuffled(hosts);
    return [first, second];
  }

  pick<T>(from: readonly T[]): T {
    return from[randomBelow(this.random, from.length)]!;
  }

  shuffled<T>(from: readonly T[]): T[] {
    return shuffled(from, this.random);
  }
}
