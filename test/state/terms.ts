/**
 * An entity as a partition has it: one term of a primary after the other, each with a writer of its
 * own, owners that apply the stream, and forks of what it once was, which are merged later.
 */
import assert from "node:assert/strict";
import type { StateCommit } from "../../src/state/commit.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { name, onTheWire, shape } from "./histories.ts";
import type { TurnDraft } from "./histories.ts";

type Run = (draft: TurnDraft, entity: Entity) => void;

/** What was done to `entity` without a majority. */
export interface Fork {
  readonly entity: Entity;
  readonly writer: number;
  readonly commits: StateCommit[];
}

export class Stream {
  readonly primary = Entity.create(name);
  /** Reads every commit from bytes. */
  follower = Entity.create(name);
  readonly commits: StateCommit[] = [];
  retireAt: number;
  #writer: number;
  #forks = 0;
  #time = 1_000;

  /** @param firstWriter of the first term; those of later ones follow on it */
  constructor(retireAt: number, firstWriter = 2 ** 40) {
    this.retireAt = retireAt;
    this.#writer = firstWriter;
  }

  get writer(): number {
    return this.#writer;
  }

  /** Somebody else leads. */
  nextTerm(): void {
    // The next id may be lower than those before it.
    this.#writer += this.#writer % 4 === 0 ? 1_000_002 : -999_994;
  }

  turn(run: Run): StateCommit | undefined {
    const commit = this.#turn(this.primary, this.#writer, run);
    if (commit !== undefined) this.#put(commit);
    return commit;
  }

  /** A term that does this and ends. */
  term(run: Run): void {
    this.turn(run);
    this.nextTerm();
  }

  /** So many terms that each add 1 to the counter. */
  terms(count: number): void {
    for (let index = 0; index < count; index += 1) this.term(({ live }) => live.counter.add(1));
  }

  fork(): Fork {
    this.#forks += 1;
    return { entity: this.primary.clone(), writer: this.#forks * 2 + 1, commits: [] };
  }

  turnOf(fork: Fork, run: Run): void {
    const commit = this.#turn(fork.entity, fork.writer, run);
    if (commit === undefined) return;
    fork.entity.apply(commit);
    fork.commits.push(commit);
  }

  merge(fork: Fork): void {
    for (const commit of fork.commits.splice(0)) this.#put(commit);
  }

  /** Another owner joins: it gets a copy and follows from there. */
  copy(): void {
    this.follower = Entity.decode(name, this.primary.encode());
  }

  /** Owners hold the same. */
  check(): void {
    assert.equal(this.follower.digest, this.primary.digest);
    assert.equal(this.follower.contentHash(), this.primary.contentHash());
    assert.equal(this.follower.contents.bytes, this.primary.contents.bytes);
  }

  #put(commit: StateCommit): void {
    this.commits.push(commit);
    assert.ok(this.primary.apply(commit));
    assert.ok(this.follower.apply(onTheWire(commit)));
  }

  #turn(entity: Entity, writer: number, run: Run): StateCommit | undefined {
    this.#time += 1;
    const hybridTime = Math.max(this.#time, entity.hybridTime + 1);
    const draft = new Draft({ entity, shape, writer, hybridTime });
    run(draft, entity);
    return draft.finish(this.retireAt);
  }
}
