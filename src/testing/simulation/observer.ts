/**
 * Looks into the nodes while a run goes on, for what no caller sees: incarnations that fall, healthy
 * nodes declared dead, commits that were known to stay and are gone, owner sets that shrink, terms
 * that chase each other, queues without bound.
 */
import type { EntityName, PartitionId } from "../../model/ids.ts";
import { hybridTimeToMs, type HybridTime } from "../../model/time.ts";
import { limits } from "../../model/limits.ts";
import { compareTerms, type Term } from "../../model/term.ts";
import type { LatticeNode } from "../../node/lattice-node.ts";
import type { Replica } from "../../replication/replica.ts";
import type { Entity } from "../../state/entity.ts";
import type { Life, SimulatedCluster } from "../simulated-cluster.ts";
import type { Faults } from "./faults.ts";
import { clockToleranceMs, type Violations } from "./invariants.ts";
import { VerdictWatch, type Verdict } from "./verdict-watch.ts";

const observeEveryMs = 250;
/**
 * New reigns over one partition while nothing changes around it, above which terms chase: a takeover, and
 * three handovers of an empty partition where a node comes back. It gets the role, gives it away by a table
 * that is not whole yet, and who got it passes it on.
 */
const reignsMax = 4;
/** Where messages are lost or late: each reign may need another one until its first messages arrive in time. */
const lateReignsMax = 8;
const chaseWindowMs = 20_000;

/** What was seen of one entity. */
interface KnownEntity {
  /** The highest: odd while it was deleted. */
  readonly mark: number;
  /** Writer → sequence, of its commits since it was reaped last. */
  readonly vector: Map<number, number>;
}

interface PartitionRecord {
  term: Term | undefined;
  ownerCount: number;
  /** Times of recent new terms. */
  reigns: number[];
  /** How many owners any node's table gave it at the last looks. */
  tableSizes: number[];
}

/** Nodes learn of a new table one after the other. */
const tableLooks = 40;

export class Observer {
  readonly #cluster: SimulatedCluster;
  readonly #faults: Faults;
  readonly #violations: Violations;
  /** What somebody knew to be committed, by entity. */
  readonly #known = new Map<EntityName, KnownEntity>();
  readonly #partitions: PartitionRecord[];
  readonly #incarnations = new Map<Life, readonly [number, number]>();
  /** Filled by the loggers of the nodes. */
  readonly #verdicts: Verdict[];
  readonly #isLossy: boolean;
  readonly #watch: VerdictWatch;
  /** Times a partition got another primary after the first. */
  takeovers = 0;
  ownerChanges = 0;
  /** Entities some of whose writers are known to be retired. */
  readonly retired = new Set<EntityName>();
  /** Lives that rested after too many restarts. */
  readonly rested = new Set<Life>();
  #ownersSeen: string[] = [];

  constructor(
    cluster: SimulatedCluster,
    faults: Faults,
    violations: Violations,
    { verdicts, isLossy }: { readonly verdicts: Verdict[]; readonly isLossy: boolean },
  ) {
    this.#cluster = cluster;
    this.#faults = faults;
    this.#violations = violations;
    this.#verdicts = verdicts;
    this.#isLossy = isLossy;
    this.#watch = new VerdictWatch(cluster, faults.ledger, violations);
    this.#partitions = Array.from({ length: cluster.partitionCount }, () => ({
      term: undefined,
      ownerCount: 0,
      reigns: [],
      tableSizes: [],
    }));
  }

  start(): void {
    this.look();
    this.#cluster.time.timers.after(observeEveryMs, () => {
      this.start();
    });
  }

  /** One look at everything. */
  look(): void {
    const nodes = this.#cluster.running();
    this.#watch.look(this.#verdicts.splice(0));
    for (const life of this.#cluster.lives.values()) this.#watchIncarnation(life);
    for (const node of nodes) {
      this.#watchBounds(node);
      this.#watchClock(node, this.#learnCommitted(node));
    }
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      this.#watchPartition(partition, nodes);
    }
  }

  /** At the end: whatever was known to stay is in the final copies. */
  judgeCommitted(entityOf: (name: EntityName) => Entity | undefined): void {
    if (this.#faults.lossy.length > 0) return;
    for (const [name, { mark, vector }] of this.#known) {
      const entity = entityOf(name);
      // What was deleted may have been reaped, and begun anew.
      if (mark % 2 === 1 && (entity === undefined || entity.mark > mark)) continue;
      for (const [writer, sequence] of vector) {
        this.#violations.check(
          "P7",
          entity?.includes(writer, sequence) === true,
          () => `${name}: commit ${String(sequence)} of writer ${String(writer)} is gone`,
        );
      }
    }
  }

  get #now(): number {
    return this.#cluster.time.now;
  }

  #watchIncarnation(life: Life): void {
    const own = life.node?.parts.cluster.members.get(life.id);
    if (own === undefined) return;
    if (own.resting) this.rested.add(life);
    const before = this.#incarnations.get(life);
    const now = [own.boot, own.refutations] as const;
    this.#incarnations.set(life, now);
    if (before === undefined) return;
    const rose = now[0] > before[0] || (now[0] === before[0] && now[1] >= before[1]);
    this.#violations.check(
      "M1",
      rose,
      () => `${life.id} fell from ${before.join()} to ${now.join()}`,
    );
  }

  #watchBounds(node: LatticeNode): void {
    const { turns, attempts, outbox } = node.parts;
    const busy = `${String(turns.inFlightCount)} turns, ${String(attempts.count)} attempts`;
    const within =
      turns.inFlightCount <= limits.callsPerNodeMax &&
      attempts.count <= limits.callsPerNodeMax &&
      outbox.depth <= limits.callsPerNodeMax;
    this.#violations.check("B1", within, () => `${node.identity.id} has ${busy}`);
  }

  /** Before it is settled, a clock that is wrong hurts nobody: nothing has been stamped by it. */
  #watchClock(node: LatticeNode, latest: HybridTime): void {
    const { clusterClock, foundation } = node.parts;
    const { wallNow } = this.#cluster.time;
    const offMs = clusterClock.read(foundation.platform.clock.now()) - wallNow;
    const aheadMs = hybridTimeToMs(latest) - wallNow;
    const isFar = clusterClock.isSettled && Math.abs(offMs) > clockToleranceMs;
    this.#violations.check("C9", !isFar && aheadMs <= clockToleranceMs, () => {
      const off = `its clock is off by ${offMs.toFixed(0)} ms`;
      return `${node.identity.id}: ${off}, its latest stamp ahead by ${aheadMs.toFixed(0)} ms`;
    });
  }

  /** @returns the latest stamp that it holds */
  #learnCommitted(node: LatticeNode): HybridTime {
    let latest: HybridTime = 0;
    for (const [, replica] of node.parts.partitions.held()) {
      for (const name of replica.entityNames()) {
        const entity = replica.committedEntity(name);
        if (entity === undefined) continue;
        latest = Math.max(latest, entity.hybridTime);
        if (entity.context.hasRetired) this.retired.add(name);
        this.#learn(name, entity.mark, entity.context.pairs);
      }
    }
    return latest;
  }

  #learn(name: EntityName, mark: number, pairs: readonly number[]): void {
    const before = this.#known.get(name);
    if (before !== undefined && mark < before.mark) return; // a copy that lags
    const mayBeNew = before !== undefined && before.mark % 2 === 1 && mark > before.mark;
    const vector = before === undefined || mayBeNew ? new Map<number, number>() : before.vector;
    this.#known.set(name, { mark, vector });
    for (let i = 0; i < pairs.length; i += 2) {
      const writer = pairs[i]!;
      const sequence = pairs[i + 1]!;
      if (sequence > (vector.get(writer) ?? 0)) vector.set(writer, sequence);
    }
  }

  #watchPartition(partition: PartitionId, nodes: readonly LatticeNode[]): void {
    let primary: Replica<Entity> | undefined;
    const record = this.#partitions[partition]!;
    let tableSize = Infinity;
    for (const { parts } of nodes) {
      tableSize = Math.min(tableSize, parts.routes.ownersOf(partition).length);
      const replica = parts.partitions.replica(partition);
      if (replica?.serving !== "primary") continue;
      if (compareTerms(replica.term, primary?.term) > 0) primary = replica;
    }
    record.tableSizes.push(tableSize);
    if (record.tableSizes.length > tableLooks) record.tableSizes.shift();
    if (primary === undefined || compareTerms(primary.term, record.term) < 0) return;
    this.#watchTerm(partition, record, primary);
    this.#watchOwners(partition, record, primary);
  }

  #watchTerm(partition: PartitionId, record: PartitionRecord, primary: Replica<Entity>): void {
    if (compareTerms(primary.term, record.term) <= 0) return;
    if (record.term !== undefined) this.takeovers += 1;
    record.term = primary.term;
    const since = Math.max(this.#faults.ledger.changedAt, this.#now - chaseWindowMs);
    record.reigns = record.reigns.filter((at) => at > since);
    record.reigns.push(this.#now);
    const { length } = record.reigns;
    const areLate = this.#isLossy || this.#faults.ledger.networkTroubleAt === Infinity;
    this.#violations.check("P3", length <= (areLate ? lateReignsMax : reignsMax), () => {
      const window = `${String(Math.round(this.#now - since))} ms`;
      return `partition ${String(partition)} had ${String(length)} terms in ${window}`;
    });
  }

  #watchOwners(partition: PartitionId, record: PartitionRecord, primary: Replica<Entity>): void {
    const processes = primary.owners?.processes ?? [];
    const key = processes.join(" ");
    const before = this.#ownersSeen[partition];
    if (before !== key) {
      if (before !== undefined) this.ownerChanges += 1;
      this.#ownersSeen[partition] = key;
    }
    const { crashCount, lossy } = this.#faults;
    if (crashCount > 0 || lossy.length > 0) return;
    const most = Math.min(record.ownerCount, ...record.tableSizes);
    this.#violations.check(
      "P8",
      processes.length >= most,
      () =>
        `partition ${String(partition)} went from ${before ?? ""} to ${key} at ${String(this.#now)}`,
    );
    record.ownerCount = processes.length;
  }
}
