/**
 * When a crash may be blamed for nothing (P1's premise): a partition is *healthy* when its owner set
 * is full, all of it up, all at the primary's term and position, and nobody has promised more. After
 * a crash each partition that the process held must have been healthy again before the next one.
 */
import type { PartitionId } from "../../model/ids.ts";
import { compareTerms, sameTerm } from "../../model/term.ts";
import type { Replica } from "../../replication/replica.ts";
import type { Entity } from "../../state/entity.ts";
import type { Life, SimulatedCluster } from "../simulated-cluster.ts";

export class Health {
  readonly #cluster: SimulatedCluster;
  /** Partitions that lost a process and have not been healthy since. */
  readonly #ailing = new Set<PartitionId>();

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  /** Looks at what ails; call it often. */
  update(): void {
    for (const partition of this.#ailing) {
      if (this.#isHealthy(partition)) this.#ailing.delete(partition);
    }
  }

  get isRecovered(): boolean {
    return this.#ailing.size === 0;
  }

  /** Every partition is healthy right now. */
  isPerfect(): boolean {
    for (let p = 0; p < this.#cluster.partitionCount; p++) if (!this.#isHealthy(p)) return false;
    return true;
  }

  /** Whether this process may die without anything acknowledged being lost. */
  mayCrash(life: Life): boolean {
    if (life.node === undefined) return true;
    for (const [partition, replica] of life.node.parts.partitions.held()) {
      if (replica.role !== "absent" && this.#ailing.has(partition)) return false;
      // Alone with it, as the others have left: what comes back has no copy yet.
      if (leads(replica) && (replica.owners?.processes.length ?? 0) < 2) return false;
    }
    return true;
  }

  /** It is about to die. */
  crashes(life: Life): void {
    for (const [partition, replica] of life.node?.parts.partitions.held() ?? []) {
      if (replica.role !== "absent") this.#ailing.add(partition);
    }
  }

  /** Every partition has to recover. */
  allAil(): void {
    for (let p = 0; p < this.#cluster.partitionCount; p++) this.#ailing.add(p);
  }

  #isHealthy(partition: PartitionId): boolean {
    const lives = [...this.#cluster.lives.values()].filter(isUp);
    const primary = lives.find(({ node }) => leads(node?.parts.partitions.replica(partition)));
    const parts = primary?.node?.parts;
    const leader = parts?.partitions.replica(partition);
    if (parts === undefined || leader?.owners === undefined) return false;
    const { processes, previous } = leader.owners;
    // Not by the primary's table: one that has lost sight of the others is content with itself.
    const full = Math.min(parts.settings.replicas, lives.length);
    if (processes.length < full || previous.length > 0) return false;
    const replicas = new Map(
      lives.map(({ node }) => [node?.parts.self, node?.parts.partitions.replica(partition)]),
    );
    const isLevel = processes.every((process) => isLevelWith(leader, replicas.get(process)));
    return isLevel && !surpassed(leader, replicas.values());
  }
}

function isUp({ state }: Life): boolean {
  return state === "up" || state === "paused";
}

function leads(replica: Replica<Entity> | undefined): boolean {
  return replica?.serving === "primary";
}

function isLevelWith(leader: Replica<Entity>, owner: Replica<Entity> | undefined): boolean {
  return (
    owner !== undefined &&
    sameTerm(owner.standing.synced, leader.term) &&
    owner.progress?.position === leader.progress?.position
  );
}

/** Somebody has promised a higher term than this primary's. */
function surpassed(
  leader: Replica<Entity>,
  replicas: Iterable<Replica<Entity> | undefined>,
): boolean {
  for (const replica of replicas) {
    if (compareTerms(replica?.standing.promised, leader.term) > 0) return true;
  }
  return false;
}
