/** What `.with({ reply: "full" })` makes calls return instead of the bare value. */
export interface Reply<T> {
  readonly value: T;
  /** Served without a majority of the owners: it may be lost with one process, or count twice. */
  readonly degraded: boolean;
  /** Copies known to hold it when it was answered. */
  readonly copies: number;
  /** The node that ran it. */
  readonly node: string;
  /** Network legs of the call: 1 when it went straight to the primary. */
  readonly hops: number;
  /** Of a call in a session: a token of what this answer shows, and of nothing else. */
  readonly token?: string;
}
