/**
 * Commits of degraded service (rules 15–18): made without authority on top of the known-committed
 * part, kept until a primary has made them part of its stream. A fork dies with its process.
 */
import type { EntityName, WriterId } from "../model/ids.ts";
import type { Commit } from "../wire/replication-messages.ts";
import type { Copy } from "./copy.ts";
import { addCommit } from "./copy.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";
import { limits } from "./timing.ts";

/** Names one commit of a fork. */
export interface CommitId {
  readonly entity: EntityName;
  readonly writer: WriterId;
  readonly sequence: number;
}

export class Fork<E extends ReplicatedEntity<E>> {
  /** Numbers the commits of the present degraded service and nothing else. */
  writer: WriterId;
  readonly #factory: EntityFactory<E>;
  #commits: Commit[] = [];
  #bytes = 0;
  #byEntity = new Map<EntityName, Commit[]>();
  readonly #tips = new Map<EntityName, E>();

  constructor(factory: EntityFactory<E>, writer: WriterId) {
    this.#factory = factory;
    this.writer = writer;
  }

  get commitCount(): number {
    return this.#commits.length;
  }
  /** Takes no more commits. */
  get isFull(): boolean {
    return this.#commits.length >= limits.forkCommits || this.#bytes >= limits.forkBytes;
  }

  /** State of degraded service: what is known to be committed, and this fork. */
  tip(copy: Copy<E>, name: EntityName, create: boolean): E | undefined {
    const known = this.#tips.get(name);
    if (known !== undefined) return known;
    const committed = copy.entity(name);
    const own = this.#byEntity.get(name);
    if (own === undefined) {
      return committed ?? (create ? this.#factory.create(name, copy.newMark) : undefined);
    }
    return this.#build(committed, name, own);
  }

  /** Adds a commit made on the tip. */
  add(copy: Copy<E>, commit: Commit): void {
    const name = commit.entity;
    const own = this.#byEntity.get(name) ?? [];
    const committed = copy.entity(name);
    const tip = this.#tips.get(name) ?? this.#build(committed, name, own);
    addCommit(tip, commit);
    const isFirst = committed === undefined && own.length === 0;
    this.#push(isFirst ? beginning(commit) : commit);
  }

  /**
   * Takes in a whole copy, its tail included, because another birth has won (rule 20). Not bounded:
   * it replaces what was held anyway. `writer` is fresh: it numbers nothing but these. They come first:
   * what was done to them without a majority means nothing where they are not.
   */
  addCopy(copy: Copy<E>, writer: WriterId): void {
    const tails = new Map<EntityName, Commit[]>();
    for (const { commit } of copy.tail()) {
      const known = tails.get(commit.entity);
      if (known === undefined) tails.set(commit.entity, [commit]);
      else known.push(commit);
    }
    const later = this.#takeAll();
    let sequence = 0;
    for (const name of copy.entityNames()) {
      const entity = copy.entity(name)?.clone() ?? this.#factory.create(name);
      for (const commit of tails.get(name) ?? []) addCommit(entity, commit);
      sequence++;
      this.#push({ entity: name, writer, sequence, delta: entity.encode(), kind: "whole" });
    }
    for (const commit of later) this.#push(commit);
    this.rest();
  }

  /** Degraded service has ended for now: its state is built anew when it begins again. */
  rest(): void {
    this.#tips.clear();
  }

  /** The next commits to be merged, oldest first. */
  chunk(): readonly Commit[] {
    const chunk: Commit[] = [];
    let bytes = 0;
    for (const commit of this.#commits) {
      bytes += commit.delta.byteLength;
      if (chunk.length > 0 && bytes > limits.forkChunkBytes) break;
      chunk.push(commit);
      if (chunk.length === limits.forkChunkCommits) break;
    }
    return chunk;
  }

  /** These are part of the stream and committed (rule 17); returns how many were this fork's. */
  merged(ids: readonly CommitId[]): number {
    const gone = new Set(ids.map(commitKey));
    const left = this.#commits.filter((commit) => !gone.has(commitKey(commit)));
    const count = this.#commits.length - left.length;
    this.#takeAll();
    for (const commit of left) this.#push(commit);
    return count;
  }

  #takeAll(): readonly Commit[] {
    const commits = this.#commits;
    this.#commits = [];
    this.#bytes = 0;
    this.#byEntity = new Map();
    return commits;
  }

  #push(commit: Commit): void {
    this.#commits.push(commit);
    this.#bytes += commit.delta.byteLength;
    const own = this.#byEntity.get(commit.entity);
    if (own === undefined) this.#byEntity.set(commit.entity, [commit]);
    else own.push(commit);
  }

  #build(committed: E | undefined, name: EntityName, own: readonly Commit[]): E {
    const tip = committed?.clone() ?? this.#factory.create(name);
    for (const commit of own) addCommit(tip, commit);
    this.#tips.set(name, tip);
    return tip;
  }
}

/** What identifies a commit once it is on its way. */
export function commitId({ entity, writer, sequence }: Commit): CommitId {
  return { entity, writer, sequence };
}

/** Whoever merges it has to know that the entity is not one that was reaped meanwhile. */
function beginning({ entity, writer, sequence, delta }: Commit): Commit {
  return { entity, writer, sequence, delta, kind: "begin" };
}

function commitKey({ entity, writer, sequence }: CommitId): string {
  return `${String(writer)}:${String(sequence)}:${entity}`;
}
