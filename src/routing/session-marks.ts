/**
 * What a session has been shown, by partition: it is never shown anything older again. A read by any
 * owner names what the session has seen of that partition, and goes to the primary where the owner
 * has not come as far. Kept by clients and by nodes for the calls that they make.
 */
import { LatticeError } from "../model/error.ts";
import type { PartitionId } from "../model/ids.ts";
import { isNewerMark } from "../model/mark.ts";
import type { Mark } from "../model/mark.ts";
import type { SeenPartition } from "../wire/messages.ts";
import { readToken, writeToken } from "../wire/session-token.ts";

export class SessionMarks {
  readonly #marks: Map<PartitionId, Mark>;
  /** Of the cluster that the token came from; 0 for none. */
  readonly #partitionCount: number;

  /** @param token that of a session whose past this one goes on with; "" for none */
  constructor(token: string) {
    const { marks, partitionCount } = token === "" ? nothing : readToken(token);
    this.#marks = new Map(marks);
    this.#partitionCount = partitionCount;
  }

  /**
   * To be called once the cluster is known.
   * @throws LatticeError `invalid_argument` for the token of another one, as far as that shows
   */
  checkCluster(partitionCount: number): void {
    const own = this.#partitionCount;
    if (own === 0 || own === partitionCount) return;
    throw new LatticeError(
      "invalid_argument",
      `the token of the session is of a cluster with ${String(own)} partitions, this one has ` +
        `${String(partitionCount)}: connect to the cluster that it came from, or leave it out`,
    );
  }

  seenOf(partition: PartitionId): Mark | undefined {
    return this.#marks.get(partition);
  }

  note(seen: readonly SeenPartition[]): void {
    for (const { partition, mark } of seen) {
      if (isNewerMark(mark, this.#marks.get(partition))) this.#marks.set(partition, mark);
    }
  }

  token(partitionCount: number): string {
    return writeToken({ partitionCount, marks: this.#marks });
  }
}

/** The token of one answer alone. */
export function tokenOf(partitionCount: number, seen: readonly SeenPartition[]): string {
  const marks = new Map(seen.map(({ partition, mark }) => [partition, mark]));
  return writeToken({ partitionCount, marks });
}

const nothing = { partitionCount: 0, marks: new Map<PartitionId, Mark>() };
