/**
 * Faults aimed at one partition: a short chain of them hits its primary and its followers, while
 * calls to one of its entities are under way. A single fault at a random time hardly ever meets a
 * commit that waits for its acknowledgements, and never the second moment that many mistakes need:
 * that whoever was left behind is back just when its successor falls.
 */
import type { NodeId, PartitionId } from "../../model/ids.ts";
import { nodeOf } from "../../model/ids.ts";
import { randomBelow } from "../../model/random.ts";
import { compareTerms } from "../../model/term.ts";
import { partitionOf } from "../../ring/partition.ts";
import type { Replica } from "../../replication/replica.ts";
import type { Entity } from "../../state/entity.ts";
import type { Life } from "../simulated-cluster.ts";
import type { FaultLedger } from "./fault-ledger.ts";
import type { NetworkFaults } from "./network-faults.ts";
import type { EntityId } from "./workload.ts";

export interface AmbushOptions {
  readonly ledger: FaultLedger;
  readonly network: NetworkFaults;
  readonly entities: readonly EntityId[];
  /** Calls an entity so often, all within so many milliseconds. */
  readonly call: (entity: EntityId, count: number, withinMs: number) => void;
  /** False when a crash now could not be blamed for nothing. */
  readonly crash: (life: Life) => boolean;
  readonly pause: (life: Life, durationMs: number) => boolean;
}

const stepsMin = 2;
const stepsMax = 6;
/** How long others take to hold a silent primary lost, and a little more. */
const successionMs = { from: 1_500, to: 4_500 } as const;
/** Steps that may follow each other, each as often as it is here. */
const steps = [
  "deafen",
  "mute",
  "isolate",
  "isolate",
  "cut",
  "cut",
  "crash",
  "crash",
  "pause",
  "reset",
  "hang up",
  "hang up",
  "lag",
  "relieve",
  "relieve",
  "eclipse",
] as const;
type Step = (typeof steps)[number];

/** Who leads a partition and who follows. */
interface Cast {
  readonly primary: NodeId;
  /** In the order of the owner set. */
  readonly followers: readonly NodeId[];
}

export class Ambush {
  readonly #options: AmbushOptions;
  readonly #ledger: FaultLedger;
  readonly #target: EntityId;
  readonly #partition: PartitionId;
  /** Ends of what it cut and slowed down. */
  #ends: (() => void)[] = [];
  #stepsLeft: number;

  constructor(options: AmbushOptions) {
    const { ledger, entities } = options;
    this.#options = options;
    this.#ledger = ledger;
    this.#target = ledger.pick(entities);
    const { partitionCount } = ledger.cluster;
    this.#partition = partitionOf(this.#target[0], this.#target[1], partitionCount);
    this.#stepsLeft = stepsMin + randomBelow(ledger.random, stepsMax - stepsMin + 1);
  }

  /** False when nobody leads the partition now. */
  begin(): boolean {
    if (this.#cast() === undefined) return false;
    this.#ledger.note(`ambush on partition ${String(this.#partition)}`);
    this.#goOn();
    return true;
  }

  #goOn(): void {
    if (this.#ledger.isOver || this.#stepsLeft-- === 0) return;
    const { random } = this.#ledger;
    const withinMs = this.#ledger.lasting(0.5, 40);
    if (random() < 0.75) {
      this.#options.call(this.#target, 1 + randomBelow(random, 4), withinMs);
    }
    this.#ledger.after(random() * withinMs, () => {
      if (!this.#ledger.isOver) this.#strike(this.#ledger.pick(steps));
    });
    const delayMs = random() < 0.3 ? random() * 3 : this.#ledger.lasting(1, 3_000);
    this.#ledger.after(withinMs + delayMs, () => {
      this.#goOn();
    });
  }

  #strike(step: Step): void {
    const cast = this.#cast();
    if (cast === undefined) return;
    const { network } = this.#options;
    const host = this.#victim(cast);
    const durationMs = this.#ledger.lasting(50, 8_000);
    switch (step) {
      case "deafen":
        this.#ends.push(network.deafen(host, durationMs));
        return;
      case "mute":
        this.#ends.push(network.mute(host, durationMs));
        return;
      case "isolate":
        this.#ends.push(network.cutOff(host, durationMs, "isolate"));
        return;
      case "cut":
        this.#cutPair(cast, durationMs);
        return;
      case "crash":
        this.#options.crash(this.#ledger.cluster.life(host));
        return;
      case "pause":
        this.#options.pause(this.#ledger.cluster.life(host), durationMs);
        return;
      case "reset":
        for (const follower of cast.followers) network.resetPair(cast.primary, follower);
        return;
      case "hang up":
        network.resetClients(cast.primary);
        return;
      case "lag":
        this.#ends.push(network.lag(host, durationMs));
        return;
      case "relieve":
        for (const end of this.#ends.splice(0)) end();
        return;
      case "eclipse":
        this.#eclipse(cast);
    }
  }

  /**
   * The primary cannot be reached for about as long as it takes others to succeed it, one of whom is
   * far from the rest: so it is back while they still ask each other. Its clients go on calling it.
   */
  #eclipse({ primary, followers }: Cast): void {
    const { network, call } = this.#options;
    const { from, to } = successionMs;
    const durationMs = from + this.#ledger.random() * (to - from);
    if (followers.length > 0) network.lag(this.#ledger.pick(followers), durationMs * 2);
    this.#ends.push(network.shun(primary, durationMs));
    call(this.#target, 2 + randomBelow(this.#ledger.random, 4), durationMs);
  }

  #cutPair({ primary, followers }: Cast, durationMs: number): void {
    if (followers.length === 0) return;
    const pair = [primary, this.#ledger.pick(followers)] as const;
    const [from, to] = this.#ledger.random() < 0.5 ? pair : ([pair[1], pair[0]] as const);
    const isOneWay = this.#ledger.random() < 0.4;
    this.#ends.push(this.#options.network.cutPair(from, to, isOneWay, durationMs));
  }

  #victim({ primary, followers }: Cast): NodeId {
    if (followers.length === 0 || this.#ledger.random() < 0.55) return primary;
    return this.#ledger.pick(followers);
  }

  /** As things are now: the primary of the highest term among the processes that run. */
  #cast(): Cast | undefined {
    let leader: Replica<Entity> | undefined;
    let primary: NodeId | undefined;
    for (const { id, node } of this.#ledger.living()) {
      const replica = node?.parts.partitions.replica(this.#partition);
      if (replica?.role !== "primary") continue;
      if (leader !== undefined && compareTerms(replica.term, leader.term) < 0) continue;
      [leader, primary] = [replica, id];
    }
    if (leader === undefined || primary === undefined) return undefined;
    const followers = (leader.owners?.processes ?? [])
      .map(nodeOf)
      .filter((id) => id !== primary && this.#ledger.cluster.lives.has(id));
    return { primary, followers };
  }
}
