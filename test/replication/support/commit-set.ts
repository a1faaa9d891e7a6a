/**
 * The smallest entity that shows every loss and every doubling: a set of commits. Each commit is one
 * attempt of one call, so "did it take effect, and how often" is a look at the set.
 */
import type {
  EntityFactory,
  ReplicatedEntity,
} from "../../../src/replication/replicated-entity.ts";
import type { Commit } from "../../../src/wire/replication-messages.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class CommitSet implements ReplicatedEntity<CommitSet> {
  /** Commit id → what it says. */
  readonly commits: Map<string, string>;

  constructor(commits: ReadonlyMap<string, string> = new Map()) {
    this.commits = new Map(commits);
  }

  get digest(): number {
    let sum = 0;
    for (const id of this.commits.keys()) {
      let hash = 7;
      for (let at = 0; at < id.length; at++) hash = (hash * 31 + id.charCodeAt(at)) % 1_000_000_007;
      sum += hash;
    }
    return sum;
  }

  apply(commit: Commit): boolean {
    const id = idOf(commit);
    if (this.commits.has(id)) return false;
    this.commits.set(id, decoder.decode(commit.delta));
    return true;
  }

  join(image: Uint8Array): boolean {
    const before = this.commits.size;
    for (const [id, says] of decode(image)) this.commits.set(id, says);
    return this.commits.size > before;
  }

  includes(writer: number, sequence: number): boolean {
    return this.commits.has(`${String(writer)}.${String(sequence)}`);
  }

  clone(): CommitSet {
    return new CommitSet(this.commits);
  }

  encode(): Uint8Array {
    return encoder.encode(JSON.stringify([...this.commits]));
  }

  /** The number of the next commit of this writer. */
  nextSequence(writer: number): number {
    let sequence = 1;
    while (this.includes(writer, sequence)) sequence++;
    return sequence;
  }

  /** Id of the commit that says this. */
  find(test: (says: string) => boolean): string | undefined {
    for (const [id, says] of this.commits) if (test(says)) return id;
    return undefined;
  }
}

export const commitSets: EntityFactory<CommitSet> = {
  create: () => new CommitSet(),
  decode: (_name, image) => new CommitSet(decode(image)),
};

export function commitThat(says: string, entity: string, writer: number, sequence: number): Commit {
  return { entity, writer, sequence, delta: encoder.encode(says) };
}

export function idOf({ writer, sequence }: Commit): string {
  return `${String(writer)}.${String(sequence)}`;
}

function decode(image: Uint8Array): Map<string, string> {
  return new Map(JSON.parse(decoder.decode(image)) as [string, string][]);
}
