/**
 * The smallest entity that shows every loss, every doubling and every resurrection: a set of commits.
 * Each commit is one attempt of one call, so "did it take effect, and how often" is a look at the set.
 * A commit of a higher mark than the entity's empties it first; one of a lower mark changes nothing.
 */
import type {
  EntityFactory,
  ReplicatedEntity,
} from "../../../src/replication/replicated-entity.ts";
import type { Commit } from "../../../src/wire/replication-messages.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Told {
  readonly mark: number;
  readonly says: string;
}

interface Image {
  readonly mark: number;
  readonly commits: readonly (readonly [string, string])[];
  readonly known: readonly (readonly [number, number])[];
}

export class CommitSet implements ReplicatedEntity<CommitSet> {
  /** Commit id → what it says; of the present mark. */
  readonly commits: Map<string, string>;
  mark: number;
  /** Writer → its highest sequence, of all marks. */
  readonly #known: Map<number, number>;

  constructor(image: Image = { mark: 0, commits: [], known: [] }) {
    this.mark = image.mark;
    this.commits = new Map(image.commits);
    this.#known = new Map(image.known);
  }

  get digest(): number {
    let sum = this.mark;
    const known = [...this.#known].map(
      ([writer, sequence]) => `${String(writer)}:${String(sequence)}`,
    );
    for (const text of [...known, ...this.commits.keys()]) {
      let hash = 7;
      for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_000_007;
      sum += hash;
    }
    return sum;
  }

  stateHash(): number {
    return this.digest + [...this.commits.values()].join().length;
  }

  apply(commit: Commit): boolean {
    const { writer, sequence } = commit;
    if (this.includes(writer, sequence)) return false;
    this.#known.set(writer, sequence);
    const { mark, says } = told(commit);
    this.#rise(mark);
    if (mark === this.mark && mark % 2 === 0) this.commits.set(idOf(commit), says);
    return true;
  }

  join(bytes: Uint8Array): boolean {
    const { mark, commits, known } = decode(bytes);
    const before = this.digest;
    this.#rise(mark);
    if (mark === this.mark) for (const [id, says] of commits) this.commits.set(id, says);
    for (const [writer, sequence] of known) {
      this.#known.set(writer, Math.max(sequence, this.sequenceOf(writer)));
    }
    return this.digest !== before;
  }

  includes(writer: number, sequence: number): boolean {
    return this.sequenceOf(writer) >= sequence;
  }

  sequenceOf(writer: number): number {
    return this.#known.get(writer) ?? 0;
  }

  mayBeReaped(): boolean {
    return this.mark % 2 === 1;
  }

  clone(): CommitSet {
    return new CommitSet(this.#image());
  }

  encode(): Uint8Array {
    return encoder.encode(JSON.stringify(this.#image()));
  }

  /** Id of the commit that says this. */
  find(test: (says: string) => boolean): string | undefined {
    for (const [id, says] of this.commits) if (test(says)) return id;
    return undefined;
  }

  #rise(mark: number): void {
    if (mark <= this.mark) return;
    this.mark = mark;
    this.commits.clear();
  }

  #image(): Image {
    return { mark: this.mark, commits: [...this.commits], known: [...this.#known] };
  }
}

export const commitSets: EntityFactory<CommitSet> = {
  create: (_name, mark = 0) => new CommitSet({ mark, commits: [], known: [] }),
  decode: (_name, image) => new CommitSet(decode(image)),
};

export function commitThat(
  says: string,
  entity: string,
  id: { readonly writer: number; readonly sequence: number },
  mark = 0,
): Commit {
  const { writer, sequence } = id;
  const delta = encoder.encode(JSON.stringify({ mark, says } satisfies Told));
  return { entity, writer, sequence, delta };
}

export function idOf({ writer, sequence }: Commit): string {
  return `${String(writer)}.${String(sequence)}`;
}

function told({ delta }: Commit): Told {
  return JSON.parse(decoder.decode(delta)) as Told;
}

function decode(image: Uint8Array): Image {
  return JSON.parse(decoder.decode(image)) as Image;
}
