/**
 * Something that can be measured: how its server processes start and how a client calls it. All
 * subjects of one bench take the same calls from the same load generator, so that what differs
 * between two figures is the subject alone.
 */
export interface Subject {
  /**
   * Starts one server in this process; resolves with its address when it serves. Servers start one
   * after the other.
   *
   * @param earlier addresses of those that serve already
   */
  serve(earlier: readonly string[]): Promise<string>;
  /** Opens what a client needs. @param addresses of all servers, in the order of their start */
  connect(addresses: readonly string[]): Promise<Caller>;
}

export interface Caller {
  /** One call of the workload on one key; rejects when it fails. */
  call(key: string): Promise<unknown>;
}
