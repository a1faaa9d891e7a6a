/**
 * Hurts a cluster, by seed: draws a fault every now and then, ends it after a while, and remembers
 * what the judge must know. Faults overlap and end in any order.
 */
import type { NodeId } from "../../model/ids.ts";
import { randomBelow } from "../../model/random.ts";
import type { Life, SimulatedCluster, StartOptions } from "../simulated-cluster.ts";
import { Ambush, type AmbushOptions } from "./ambush.ts";
import { FaultLedger } from "./fault-ledger.ts";
import { Health } from "./health.ts";
import type { LossyTime } from "./history.ts";
import { NetworkFaults } from "./network-faults.ts";
import type { FaultKind, Scenario } from "./scenario.ts";

/** More nodes than the scenario began with, at most. */
const joinedMax = 3;
const hourMs = 3_600_000;
const healthCheckMs = 100;
const slowFactorMax = 100;
/** A node that gave up is started again after this. */
const supervisionMs = 1_000;
/** How long the last owner is cut off while the others restart. */
const stormCutMs = 6_000;

export interface FaultsOptions {
  readonly cluster: SimulatedCluster;
  readonly scenario: Scenario;
  /** Host names of clients, which may be cut off too. */
  readonly clients: readonly string[];
  /** Told of every beginning and end, for the transcript. */
  readonly note: (text: string) => void;
  readonly entities: AmbushOptions["entities"];
  readonly call: AmbushOptions["call"];
  /** A node goes on after a stall, and has read nothing yet of what happened meanwhile. */
  readonly resumed: (id: NodeId) => void;
}

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly lossy: LossyTime[] = [];
  crashCount = 0;
  /** Processes that ended, in order or not: what they held alone is gone. */
  endCount = 0;
  /** After a wipe: so many nodes create the cluster anew. */
  #createWith: number | undefined;
  /** The worst of a storm is still to come. */
  #isStormy = false;
  readonly #resumed: FaultsOptions["resumed"];
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #ledger: FaultLedger;
  readonly #network: NetworkFaults;
  readonly #health: Health;
  readonly #ambush: AmbushOptions;
  readonly #leaving = new Set<NodeId>();
  readonly #restarting = new Set<NodeId>();
  /** How far the wall clock of each machine is off: a restart of a process does not mend it. */
  readonly #wallOffMs = new Map<NodeId, number>();
  /** They left before everything was handed over. */
  readonly #owing = new Set<NodeId>();

  constructor(options: FaultsOptions) {
    const { cluster, scenario, clients, note, entities, call } = options;
    this.#resumed = options.resumed;
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#ledger = new FaultLedger(cluster, scenario.isPatient, note);
    this.#network = new NetworkFaults(this.#ledger, clients);
    this.#health = new Health(cluster);
    this.#ambush = {
      ledger: this.#ledger,
      network: this.#network,
      entities,
      call,
      crash: (life) => this.#crashOne(life),
      pause: (life, durationMs) => this.#pauseOne(life, durationMs),
    };
  }

  /** Who was in trouble when. */
  get ledger(): FaultLedger {
    return this.#ledger;
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
    this.#ledger.endAll();
    this.#cluster.network.heal();
    for (const { id, state } of [...this.#cluster.lives.values()]) {
      if (state === "paused") this.#cluster.resume(id);
      else if (state === "crashed" || this.#owing.has(id)) this.#restart(id);
    }
    this.#ledger.note("all faults are over");
  }

  /** Lossy times end when the cluster has recovered. */
  settled(): void {
    for (const time of this.lossy) if (time.until === Infinity) time.until = this.#ledger.now;
  }

  #watchHealth(): void {
    this.#health.update();
    if (this.#health.isRecovered) this.settled();
    for (const life of this.#cluster.lives.values()) this.#supervise(life);
    this.#ledger.after(healthCheckMs, () => {
      this.#watchHealth();
    });
  }

  /** A node that gave up (its id seemed taken, its clock was behind) is started again, as operators do. */
  #supervise({ id, state }: Life): void {
    if (state !== "fatal" || this.#restarting.has(id)) return;
    this.#restarting.add(id);
    this.#ledger.after(supervisionMs, () => {
      this.#restarting.delete(id);
      this.#restart(id);
    });
  }

  #next(): void {
    const { faults, faultEveryMs, isPatient } = this.#scenario;
    const draw = this.#ledger.random();
    const delayMs = (isPatient ? 0.5 + draw : -Math.log(1 - draw)) * faultEveryMs;
    this.#ledger.after(delayMs, () => {
      if (this.#ledger.isOver) return;
      const kind = faults[randomBelow(this.#ledger.random, faults.length)]!;
      const isLossy = kind === "storm" || kind === "wipe";
      // Once in a run is enough of those: they end the validity of most promises.
      const isTooMuch = (isLossy && this.lossy.length > 0) || this.#ledger.living().length === 0;
      if (!isTooMuch && this.#begin(kind)) {
        this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
        this.#ledger.changedAt = this.#ledger.now;
      }
      this.#next();
    });
  }

  /** False when it is not possible now. */
  #begin(kind: FaultKind): boolean {
    switch (kind) {
      case "delay":
        return this.#network.delay();
      case "reset":
        return this.#network.reset();
      case "cut":
        return this.#network.cut(false);
      case "one-way":
        return this.#network.cut(true);
      case "split":
        return this.#network.split(0);
      case "bridge":
        return this.#network.split(1);
      case "flap":
        return this.#network.flap();
      case "isolate":
        return this.#network.isolate();
      case "crash":
        return this.#crash();
      case "pause":
        return this.#pause();
      case "stalls":
        return this.#stalls();
      case "slow":
        return this.#slow();
      case "clock-jump":
        return this.#jump();
      case "join":
        return this.#join();
      case "leave":
        return this.#leave();
      case "ambush":
        return new Ambush(this.#ambush).begin();
      case "storm":
        return this.#storm();
      case "wipe":
        return this.#wipe();
    }
  }

  #crash(): boolean {
    const able = this.#ledger.living().filter((life) => this.#health.mayCrash(life));
    return able.length > 0 && this.#crashOne(this.#ledger.pick(able));
  }

  #crashOne(life: Life): boolean {
    const isUp = life.state === "up" || life.state === "paused";
    const { length } = this.#ledger.members();
    if (!isUp || length < 2 || !this.#health.mayCrash(life)) return false;
    // A leaver that cannot hand over is a second loss: of two copies none would be left.
    if (this.#leaving.size > 0 && Math.min(this.#scenario.replicas, length) < 3) return false;
    if (this.#isStormy) return false;
    this.#kill(life);
    if (this.#ledger.random() < 0.75) this.#restartLater(life.id, this.#ledger.lasting(30, 12_000));
    return true;
  }

  #kill(life: Life): void {
    this.#health.crashes(life);
    this.crashCount += 1;
    this.endCount += 1;
    this.#leaving.delete(life.id);
    this.#ledger.note(`crash ${life.id}`);
    if (this.#ledger.random() < 0.8) this.#cluster.crash(life.id);
    else this.#cluster.powerOff(life.id);
    this.#ledger.trouble(life.id, Infinity);
  }

  #restartLater(id: NodeId, delayMs: number): void {
    this.#ledger.after(delayMs, () => {
      if (!this.#ledger.isOver) this.#restart(id);
    });
  }

  #restart(id: NodeId): void {
    const { state } = this.#cluster.life(id);
    if (state === "up" || state === "paused") return;
    // Whoever dies while the cluster begins anew is needed for that, when it is back, as before.
    const createWith = this.#cluster.running().some(({ parts }) => parts.birth.exists)
      ? undefined
      : this.#createWith;
    this.#ledger.note(`restart ${id}`);
    this.#ledger.changedAt = this.#ledger.now;
    const join = [...this.#cluster.lives.keys()].filter((other) => other !== id);
    this.#start(id, { join, ...(createWith === undefined ? {} : { createWith }) });
    this.#ledger.trouble(id, this.#ledger.now);
  }

  #pause(): boolean {
    const durationMs = 100 * 600 ** (this.#ledger.random() ** 1.5);
    return this.#pauseOne(this.#ledger.pick(this.#ledger.living()), durationMs);
  }

  #pauseOne(life: Life, durationMs: number): boolean {
    if (life.state !== "up") return false;
    this.#cluster.pause(life.id);
    this.#ledger.stall(life.id, durationMs, () => {
      if (this.#cluster.life(life.id) !== life) return;
      this.#cluster.resume(life.id);
      this.#resumed(life.id);
    });
    return true;
  }

  /** One stalls, and whoever may suspect it stalls just when it goes on and says that it lives. */
  #stalls(): boolean {
    const [first, second] = this.#ledger.shuffled(this.#ledger.living());
    if (first === undefined || second === undefined) return false;
    const durationMs = this.#ledger.lasting(1_000, 3_900);
    if (!this.#pauseOne(first, durationMs)) return false;
    this.#ledger.after(durationMs - this.#ledger.random() * 500, () => {
      if (!this.#ledger.isOver) this.#pauseOne(second, this.#ledger.lasting(6_000, 40_000));
    });
    return true;
  }

  #slow(): boolean {
    const life = this.#ledger.pick(this.#ledger.living());
    life.platform.slow(1 + this.#ledger.random() ** 2 * (slowFactorMax - 1));
    this.#ledger.hostFault(`slow ${life.id}`, life.id, this.#ledger.lasting(1_000, 15_000), () => {
      life.platform.slow(1);
    });
    return true;
  }

  #jump(): boolean {
    const { id, platform } = this.#ledger.pick(this.#ledger.living());
    const byMs = this.#drawJump();
    platform.jumpWallClock(byMs);
    this.#wallOffMs.set(id, (this.#wallOffMs.get(id) ?? 0) + byMs);
    this.#ledger.note(`clock of ${id} jumps by ${String(Math.round(byMs))} ms`);
    return true;
  }

  #drawJump(): number {
    return (this.#ledger.random() * 2 - 1) * hourMs;
  }

  /** A cluster that begins anew has no other time than that of its first node, which is then right. */
  #start(id: NodeId, options: StartOptions): void {
    const { platform } = this.#cluster.start(id, options);
    const isReborn = options.createWith !== undefined;
    if (!isReborn) platform.jumpWallClock(this.#wallOffMs.get(id) ?? 0);
  }

  #join(): boolean {
    const known = this.#cluster.lives.size;
    if (known >= this.#scenario.nodeCount + joinedMax) return false;
    const id = `n${String(known + 1)}`;
    this.#ledger.note(`join ${id}`);
    if (this.#scenario.faults.includes("clock-jump")) this.#wallOffMs.set(id, this.#drawJump());
    this.#start(id, { join: [...this.#cluster.lives.keys()] });
    this.#ledger.trouble(id, this.#ledger.now);
    return true;
  }

  #leave(): boolean {
    const staying = this.#ledger
      .living()
      .filter(({ id, state }) => state === "up" && !this.#leaving.has(id));
    // A loss on top of others may be the last copy, and what is left of nothing is nothing.
    if (staying.length < 2 || this.#leaving.size > 0 || !this.#health.isPerfect()) return false;
    const life = this.#ledger.pick(staying);
    this.#ledger.note(`leave ${life.id}`);
    this.#leaving.add(life.id);
    this.#ledger.trouble(life.id, Infinity);
    void this.#cluster.leave(life.id).then(() => {
      this.#left(life);
    });
    return true;
  }

  /** Whoever leaves with partitions that nobody took over is as good as dead to these. */
  #left(life: Life): void {
    const { id } = life;
    this.endCount += 1;
    const isClean = life.node?.parts.partitions.neededCount === 0;
    this.#ledger.note(`left ${id}${isClean ? "" : ", and owned something still"}`);
    this.#leaving.delete(id);
    this.#ledger.trouble(id, this.#ledger.now);
    if (!isClean) {
      if (!this.#health.mayCrash(life)) this.#loses();
      this.#health.crashes(life);
      this.crashCount += 1;
      this.#owing.add(id);
      if (this.#ledger.isOver) this.#restart(id);
    }
    if (this.#ledger.random() < 0.7) this.#restartLater(id, this.#ledger.lasting(100, 8_000));
  }

  /** From now until the cluster has recovered, what was acknowledged may be lost. */
  #loses(): void {
    this.lossy.push({ from: this.#ledger.now, until: Infinity });
    this.#health.allAil();
  }

  /** R − 1 processes die at once, sometimes while another one is cut off. */
  #storm(): boolean {
    const living = this.#ledger.shuffled(this.#ledger.members());
    const killCount = Math.min(this.#scenario.replicas - 1, living.length - 1);
    if (!this.#health.isRecovered || killCount < 1 || this.#leaving.size > 0) return false;
    const last = living[killCount]!;
    this.#loses();
    this.#isStormy = true;
    const isCutOff = this.#ledger.random() < 0.5;
    if (isCutOff) {
      this.#network.cutOff(last.id, stormCutMs, "storm: isolate");
    }
    this.#ledger.after(isCutOff ? 2_000 : 0, () => {
      this.#isStormy = false;
      if (this.#ledger.isOver) return;
      // The cluster may have seemed well since the cut.
      this.#loses();
      for (const life of living.slice(0, killCount)) {
        if (life.state !== "up" && life.state !== "paused") continue;
        this.#kill(life);
        this.#restartLater(life.id, this.#ledger.lasting(30, 3_000));
      }
    });
    return true;
  }

  /** Every process dies: a grid in memory begins anew, and empty. */
  #wipe(): boolean {
    if (!this.#health.isRecovered || this.#leaving.size > 0) return false;
    const living = this.#ledger.living();
    this.#loses();
    for (const life of living) this.#kill(life);
    this.#createWith = living.length;
    // Not those that are down already: with them they could not all see each other.
    this.#ledger.after(this.#ledger.lasting(30, 2_000), () => {
      for (const { id } of living) this.#restart(id);
    });
    return true;
  }
}
