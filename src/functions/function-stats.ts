/**
 * What a node has counted of its functions; plain data, part of the public types. Counters run since
 * the node's start and never fall.
 */

export interface Usage {
  /** Calls of handlers and queries that ended here, failed and repeated ones included. */
  readonly calls: number;
  /** Those among them that ended with an error; refusals by `ctx.fail` included. */
  readonly failures: number;
  /**
   * Milliseconds that the event loop was busy with them: decoding the input, the handler or query up
   * to its first `await`, encoding the result, making the change. What an asynchronous one does
   * after that cannot be told from what others do; what `ctx.compute` runs is in another thread. Read off
   * the clock: on a busy machine it includes what others had of the processor meanwhile.
   */
  readonly cpuMs: number;
  /** Encoded bytes of their inputs. */
  readonly bytesIn: number;
  /** Encoded bytes of their results. */
  readonly bytesOut: number;
  /**
   * No counter: the estimated bytes of the state that this node serves, now; of keys that it tells
   * apart. 0 for what was deleted, and for what another node serves.
   */
  readonly stateBytes: number;
}

/** Of one function. The sums are exact, however many keys it has. */
export interface FunctionStats extends Usage {
  readonly name: string;
  /** Keys that are told apart; see `otherKeys`. */
  readonly keys: number;
  /** The keys with the most CPU time, that first; where so many were asked for. */
  readonly top?: readonly KeyStats[];
  /**
   * Beside `top`: what keys counted that are told apart no more. A node tells 65,536 keys apart, and
   * sums up those of them that are used least when there are more. Their state is not known.
   */
  readonly otherKeys?: Usage;
}

export interface KeyStats extends Usage {
  readonly key: string;
}
