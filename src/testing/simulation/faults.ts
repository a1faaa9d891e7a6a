/**
 * Hurts a cluster, by seed: draws a fault every now and then, ends it after a while, and remembers
 * what the judge must know. Faults overlap and end in any order.
 */
import type { NodeId } from "../../model/ids.ts";
import { randomBelow, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import { jitteryLink } from "../simulated-network.ts";
import type { Life, SimulatedCluster } from "../simulated-cluster.ts";
import { Health } from "./health.ts";
import type { LossyTime } from "./history.ts";
import type { FaultKind, Scenario } from "./scenario.ts";

/** More nodes than the scenario began with, at most. */
const joinedMax = 3;
const hourMs = 3_600_000;
const healthCheckMs = 100;
const slowFactorMax = 100;
/** A node that gave up is started again after this. */
const supervisionMs = 1_000;

export interface FaultsOptions {
  readonly cluster: SimulatedCluster;
  readonly scenario: Scenario;
  /** Host names of clients, which may be cut off too. */
  readonly clients: readonly string[];
  /** Told of every beginning and end, for the transcript. */
  note(text: string): void;
}

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly lossy: LossyTime[] = [];
  /** When each host was last under a fault of its own; Infinity while it is. */
  readonly hostTroubleAt = new Map<string, number>();
  /** When the network was last under a fault; Infinity while it is. */
  networkTroubleAt = -Infinity;
  /** When anything last began or ended. */
  changedAt = 0;
  crashCount = 0;
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #clients: readonly string[];
  readonly #note: (text: string) => void;
  readonly #random: Random;
  readonly #health: Health;
  readonly #ends = new Set<() => void>();
  readonly #leaving = new Set<NodeId>();
  readonly #restarting = new Set<NodeId>();
  /** They left before everything was handed over. */
  readonly #owing = new Set<NodeId>();
  #isOver = false;
  #networkFaults = 0;

  constructor(options: FaultsOptions) {
    this.#cluster = options.cluster;
    this.#scenario = options.scenario;
    this.#clients = options.clients;
    this.#note = (text) => {
      options.note(text);
    };
    this.#random = seededRandom(options.scenario.seed, "faults");
    this.#health = new Health(options.cluster);
  }

  get count(): number {
    let sum = 0;
    for (const count of this.counts.values()) sum += count;
    return sum;
  }

  /** Begins to hurt. */
  start(): void {
    this.#watchHealth();
    this.#next();
  }

  /** Ends all faults: the network is whole, everybody goes on, the dead are started again. */
  stop(): void {
    this.#isOver = true;
    for (const end of [...this.#ends]) end();
    this.#cluster.network.heal();
    for (const { id, state } of [...this.#cluster.lives.values()]) {
      if (state === "paused") this.#cluster.resume(id);
      else if (state === "crashed" || this.#owing.has(id)) this.#restart(id);
    }
    this.changedAt = this.#now;
    this.#note("all faults are over");
  }

  /** Lossy times end when the cluster has recovered. */
  settled(): void {
    for (const time of this.lossy) if (time.until === Infinity) time.until = this.#now;
  }

  get #now(): number {
    return this.#cluster.time.now;
  }

  #watchHealth(): void {
    this.#health.update();
    if (this.#health.isRecovered) this.settled();
    for (const life of this.#cluster.lives.values()) this.#supervise(life);
    this.#cluster.time.timers.after(healthCheckMs, () => {
      this.#watchHealth();
    });
  }

  /** A node that gave up (its id seemed taken, its clock was behind) is started again, as operators do. */
  #supervise({ id, state }: Life): void {
    if (state !== "fatal" || this.#restarting.has(id)) return;
    this.#restarting.add(id);
    this.#cluster.time.timers.after(supervisionMs, () => {
      this.#restarting.delete(id);
      this.#restart(id);
    });
  }

  #next(): void {
    const { faults, faultEveryMs } = this.#scenario;
    const delayMs = -Math.log(1 - this.#random()) * faultEveryMs;
    this.#cluster.time.timers.after(delayMs, () => {
      if (this.#isOver) return;
      const kind = faults[randomBelow(this.#random, faults.length)]!;
      const isLossy = kind === "storm" || kind === "wipe";
      // Once in a run is enough of those: they end the validity of most promises.
      const isTooMuch = isLossy && this.lossy.length > 0;
      if (!isTooMuch && this.#begin(kind)) {
        this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
        this.changedAt = this.#now;
      }
      this.#next();
    });
  }

  /** False when it is not possible now. */
  #begin(kind: FaultKind): boolean {
    switch (kind) {
      case "delay":
        return this.#delay();
      case "reset":
        return this.#reset();
      case "cut":
        return this.#cut(false);
      case "one-way":
        return this.#cut(true);
      case "split":
        return this.#split(0);
      case "bridge":
        return this.#split(1);
      case "flap":
        return this.#flap();
      case "isolate":
        return this.#isolate();
      case "crash":
        return this.#crash();
      case "pause":
        return this.#pause();
      case "slow":
        return this.#slow();
      case "clock-jump":
        return this.#jump();
      case "join":
        return this.#join();
      case "leave":
        return this.#leave();
      case "storm":
        return this.#storm();
      case "wipe":
        return this.#wipe();
    }
  }

  #delay(): boolean {
    const { paths } = this.#cluster.network;
    const model = jitteryLink(2 ** (2 + this.#random() * 7), 0.5 + this.#random());
    const hosts = this.#hosts();
    const host = this.#pick(hosts);
    const others = this.#random() < 0.4 ? hosts : [this.#pick(hosts)];
    for (const other of others) {
      if (other === host) continue;
      paths.setLink(host, other, model);
      if (this.#random() < 0.7) paths.setLink(other, host, model);
    }
    this.#network(`delay around ${host}`, this.#lasting(1_000, 15_000), () => {
      for (const other of others) {
        if (other === host) continue;
        paths.setLink(host, other, undefined);
        paths.setLink(other, host, undefined);
      }
    });
    return true;
  }

  #reset(): boolean {
    const [a, b] = this.#two(this.#hosts());
    if (b === undefined || this.#cluster.network.reset(a, b) === 0) return false;
    this.#note(`reset ${a} ${b}`);
    this.#networkTrouble();
    return true;
  }

  #cut(isOneWay: boolean): boolean {
    const [a, b] = this.#two(this.#random() < 0.2 ? this.#hosts() : this.#nodes());
    if (b === undefined) return false;
    this.#cutPaths(isOneWay ? [[a, b]] : both(a, b), this.#lasting(300, 15_000), "cut");
    return true;
  }

  /** @param bridgeCount hosts that both sides go on to reach */
  #split(bridgeCount: number): boolean {
    const nodes = this.#shuffled(this.#nodes());
    const bridges = nodes.splice(0, bridgeCount);
    if (nodes.length < 2) return false;
    const size = 1 + randomBelow(this.#random, nodes.length - 1);
    const side = [...nodes.slice(0, size)];
    const other = [...nodes.slice(size)];
    // Clients are on one side, or reach both.
    for (const client of this.#clients) {
      const draw = this.#random();
      if (draw < 0.4) side.push(client);
      else if (draw < 0.8) other.push(client);
    }
    const pairs = side.flatMap((a) => other.flatMap((b) => both(a, b)));
    const what = `split ${side.join(" ")} | ${other.join(" ")} bridged by ${bridges.join(" ")}`;
    this.#cutPaths(pairs, this.#lasting(500, 20_000), what);
    return true;
  }

  #flap(): boolean {
    const [a, b] = this.#two(this.#nodes());
    if (b === undefined) return false;
    let left = 3 + randomBelow(this.#random, 6);
    const again = (): void => {
      if (this.#isOver || left-- === 0) return;
      const durationMs = this.#lasting(200, 3_000);
      this.#cutPaths(both(a, b), durationMs, "flap");
      this.#cluster.time.timers.after(durationMs + this.#lasting(100, 3_000), again);
    };
    again();
    return true;
  }

  #isolate(): boolean {
    const node = this.#pick(this.#nodes());
    const pairs = this.#hosts()
      .filter((host) => host !== node)
      .flatMap((host) => both(node, host));
    this.#cutPaths(pairs, this.#lasting(500, 20_000), "isolate");
    return true;
  }

  #crash(): boolean {
    const able = this.#living().filter((life) => this.#health.mayCrash(life));
    if (able.length === 0 || this.#living().length < 2) return false;
    // A leaver that cannot hand over is a second loss: of two copies none would be left.
    if (this.#leaving.size > 0 && this.#scenario.replicas < 3) return false;
    const life = this.#pick(able);
    this.#kill(life);
    if (this.#random() < 0.75) this.#restartLater(life.id, this.#lasting(30, 12_000));
    return true;
  }

  #kill(life: Life): void {
    this.#health.crashes(life);
    this.crashCount += 1;
    this.#leaving.delete(life.id);
    this.#note(`crash ${life.id}`);
    if (this.#random() < 0.8) this.#cluster.crash(life.id);
    else this.#cluster.powerOff(life.id);
    this.#trouble(life.id, Infinity);
  }

  #restartLater(id: NodeId, delayMs: number): void {
    this.#cluster.time.timers.after(delayMs, () => {
      if (!this.#isOver) this.#restart(id);
    });
  }

  #restart(id: NodeId, createWith?: number): void {
    const { state } = this.#cluster.life(id);
    if (state === "up" || state === "paused") return;
    this.#note(`restart ${id}`);
    this.changedAt = this.#now;
    const join = [...this.#cluster.lives.keys()].filter((other) => other !== id);
    this.#cluster.start(id, { join, ...(createWith === undefined ? {} : { createWith }) });
    this.#trouble(id, this.#now);
  }

  #pause(): boolean {
    const life = this.#pick(this.#living());
    if (life.state !== "up") return false;
    const durationMs = 100 * 600 ** (this.#random() ** 1.5);
    this.#cluster.pause(life.id);
    this.#hostFault(`pause ${life.id}`, life.id, durationMs, () => {
      if (this.#cluster.life(life.id) === life) this.#cluster.resume(life.id);
    });
    return true;
  }

  #slow(): boolean {
    const life = this.#pick(this.#living());
    life.platform.slow(1 + this.#random() ** 2 * (slowFactorMax - 1));
    this.#hostFault(`slow ${life.id}`, life.id, this.#lasting(1_000, 15_000), () => {
      life.platform.slow(1);
    });
    return true;
  }

  #jump(): boolean {
    const { id, platform } = this.#pick(this.#living());
    const byMs = (this.#random() * 2 - 1) * hourMs;
    platform.jumpWallClock(byMs);
    this.#note(`clock of ${id} jumps by ${String(Math.round(byMs))} ms`);
    return true;
  }

  #join(): boolean {
    const known = this.#cluster.lives.size;
    if (known >= this.#scenario.nodeCount + joinedMax) return false;
    const id = `n${String(known + 1)}`;
    this.#note(`join ${id}`);
    this.#cluster.start(id, { join: [...this.#cluster.lives.keys()] });
    this.#trouble(id, this.#now);
    return true;
  }

  #leave(): boolean {
    const staying = this.#living().filter(
      ({ id, state }) => state === "up" && !this.#leaving.has(id),
    );
    // A loss on top of others may be the last copy, and what is left of nothing is nothing.
    if (staying.length < 2 || this.#leaving.size > 0 || !this.#health.isRecovered) return false;
    const life = this.#pick(staying);
    this.#note(`leave ${life.id}`);
    this.#leaving.add(life.id);
    this.#trouble(life.id, Infinity);
    void this.#cluster.leave(life.id).then(() => {
      this.#left(life);
    });
    return true;
  }

  /** Whoever leaves with partitions that nobody took over is as good as dead to these. */
  #left(life: Life): void {
    const { id } = life;
    const isClean = life.node?.parts.partitions.ownedCount === 0;
    this.#note(`left ${id}${isClean ? "" : ", and owned something still"}`);
    this.#leaving.delete(id);
    this.#trouble(id, this.#now);
    if (!isClean) {
      if (!this.#health.mayCrash(life)) this.#loses();
      this.#health.crashes(life);
      this.crashCount += 1;
      this.#owing.add(id);
      if (this.#isOver) this.#restart(id);
    }
    if (this.#random() < 0.7) this.#restartLater(id, this.#lasting(100, 8_000));
  }

  /** From now until the cluster has recovered, what was acknowledged may be lost. */
  #loses(): void {
    this.lossy.push({ from: this.#now, until: Infinity });
    this.#health.allAil();
  }

  /** R − 1 processes die at once, sometimes while another one is cut off. */
  #storm(): boolean {
    const living = this.#shuffled(this.#living());
    const killCount = Math.min(this.#scenario.replicas - 1, living.length - 1);
    if (!this.#health.isRecovered || killCount < 1 || this.#leaving.size > 0) return false;
    const last = living[killCount]!;
    this.#loses();
    const isCutOff = this.#random() < 0.5;
    if (isCutOff) {
      const pairs = this.#hosts()
        .filter((host) => host !== last.id)
        .flatMap((host) => both(last.id, host));
      this.#cutPaths(pairs, 6_000, "storm: isolate");
    }
    this.#cluster.time.timers.after(isCutOff ? 2_000 : 0, () => {
      if (this.#isOver) return;
      // The cluster may have seemed well since the cut.
      this.#loses();
      for (const life of living.slice(0, killCount)) {
        if (life.state !== "up" && life.state !== "paused") continue;
        this.#kill(life);
        this.#restartLater(life.id, this.#lasting(30, 3_000));
      }
    });
    return true;
  }

  /** Every process dies: a grid in memory begins anew, and empty. */
  #wipe(): boolean {
    if (!this.#health.isRecovered || this.#leaving.size > 0) return false;
    const living = this.#living();
    this.#loses();
    for (const life of living) this.#kill(life);
    // Not those that are down already: with them they could not all see each other.
    this.#cluster.time.timers.after(this.#lasting(30, 2_000), () => {
      for (const { id } of living) this.#restart(id, living.length);
    });
    return true;
  }

  #cutPaths(pairs: readonly (readonly [string, string])[], durationMs: number, what: string): void {
    const { paths } = this.#cluster.network;
    for (const [from, to] of pairs) paths.cutOneWay(from, to);
    const names = pairs.length > 2 ? "" : pairs.map((pair) => pair.join(">")).join(" ");
    this.#network(`${what} ${names}`, durationMs, () => {
      for (const [from, to] of pairs) paths.healOneWay(from, to);
    });
  }

  /** A fault of the network that ends after a while. */
  #network(what: string, durationMs: number, end: () => void): void {
    this.#networkFaults += 1;
    this.networkTroubleAt = Infinity;
    this.#temporary(what, durationMs, () => {
      end();
      this.#networkFaults -= 1;
      if (this.#networkFaults === 0) this.#networkTrouble();
    });
  }

  #networkTrouble(): void {
    if (this.#networkFaults === 0) this.networkTroubleAt = this.#now;
  }

  #hostFault(what: string, host: string, durationMs: number, end: () => void): void {
    this.#trouble(host, Infinity);
    this.#temporary(what, durationMs, () => {
      end();
      this.#trouble(host, this.#now);
    });
  }

  #trouble(host: string, at: number): void {
    this.hostTroubleAt.set(host, at);
  }

  #temporary(what: string, durationMs: number, end: () => void): void {
    this.#note(`${what} for ${String(Math.round(durationMs))} ms`);
    const finish = (): void => {
      if (!this.#ends.delete(finish)) return;
      this.changedAt = this.#now;
      end();
      this.#note(`end of ${what}`);
    };
    this.#ends.add(finish);
    this.#cluster.time.timers.after(durationMs, finish);
  }

  /** Log-uniform. */
  #lasting(fromMs: number, toMs: number): number {
    return fromMs * (toMs / fromMs) ** this.#random();
  }

  #living(): Life[] {
    return [...this.#cluster.lives.values()].filter(
      ({ state, node }) => node !== undefined && (state === "up" || state === "paused"),
    );
  }

  #nodes(): string[] {
    return this.#living().map(({ id }) => id);
  }

  #hosts(): string[] {
    return [...this.#nodes(), ...this.#clients];
  }

  #two(hosts: readonly string[]): readonly [string, string | undefined] {
    const shuffled = this.#shuffled(hosts);
    return [shuffled[0] ?? "", shuffled[1]];
  }

  #pick<T>(from: readonly T[]): T {
    return from[randomBelow(this.#random, from.length)]!;
  }

  #shuffled<T>(from: readonly T[]): T[] {
    const left = [...from];
    const shuffled: T[] = [];
    while (left.length > 0) {
      shuffled.push(...left.splice(randomBelow(this.#random, left.length), 1));
    }
    return shuffled;
  }
}

function both(a: string, b: string): (readonly [string, string])[] {
  return [
    [a, b],
    [b, a],
  ];
}
