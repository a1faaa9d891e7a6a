/** `latticework/node`: starts nodes. */
import type { HandleOf } from "../definition/handle.ts";
import type { Session, SessionOptions } from "../definition/session.ts";
import type { Functions } from "../definition/function-definition.ts";
import { ThreadPool } from "../node/compute/thread-pool.ts";
import { launchNode } from "../node/launch.ts";
import { checkNodeOptions, type NodeOptions } from "../node/options.ts";
import type { FailedSend, FailedSendFilter } from "../node/failed-send.ts";
import type { NodeEvent } from "../node/events/node-event.ts";
import type { NodeStats, StatsOptions } from "../node/stats.ts";
import type { NodeStatus } from "../node/status.ts";
import { nodePlatform } from "../platform/node/node-platform.ts";
import { WebSocketTransport } from "../transport/node/websocket-transport.ts";

export type { Session, SessionOptions } from "../definition/session.ts";
export type { FunctionStats, KeyStats, Usage } from "../functions/function-stats.ts";
export type { NodeEvent } from "../node/events/node-event.ts";
export type { FailedSend, FailedSendFilter } from "../node/failed-send.ts";
export type { NodeOptions } from "../node/options.ts";
export type { NodeStats, StatsOptions } from "../node/stats.ts";
export type { MemberState, NodeCounters, NodeStatus } from "../node/status.ts";
export type { Logger, LogLevel } from "../platform/platform.ts";
export type { MemberStatus } from "../wire/membership-messages.ts";

/** A running node. */
export interface Node<F extends Functions> extends AsyncDisposable {
  /** Its name in the cluster. */
  readonly id: string;
  /** Where clients and other nodes reach it: `ws://host:port`. */
  readonly address: string;
  /** Resolves when the node has stopped, for whatever reason. */
  readonly stopped: Promise<void>;
  /** A handle to call a function from this process, without a network where it leads the key. */
  get<N extends keyof F & string>(name: N, key: string): HandleOf<F, N>;
  /**
   * Calls from this process that are one session: each reads what those before it wrote and were
   * shown, whichever owner answers. `token` goes on with the session that it is of.
   * @throws LatticeError `invalid_argument` for what is no token of this cluster
   */
  session(options?: SessionOptions): Session<F>;
  /** What it holds, leads and has done so far. */
  status(): NodeStatus;
  /**
   * What calls of its functions have used here since it started: how many there were, their CPU time
   * and bytes, and how large their state is. With `keys: 10` also of the ten keys of each function
   * that had the most CPU time.
   * @throws LatticeError `not_found` for a function that it does not have, `invalid_argument`
   */
  stats(options?: StatsOptions): NodeStats;
  /**
   * What happens to the node and its cluster from this call on: `for await (const event of
   * node.events())`. Ends when the node has stopped; leaving the loop unsubscribes. A reader may be
   * slow: the newest 4,096 events are kept for it, and it is told how many were dropped.
   * @throws LatticeError `overloaded` when 64 read already
   */
  events(): AsyncIterableIterator<NodeEvent>;
  /**
   * Tells the cluster that the process that ran as node `id` will not return, and that what only it
   * held is given up. Where a partition waits for it, because too few of its owners are left to
   * decide anything, the others go on with what they have. Should it come back after all it is
   * refused, and stops; started anew it joins like any other.
   * @throws LatticeError `failed_precondition` while it is not held dead, `not_found` for an id that
   *   is not known, `invalid_argument` for this node's own
   */
  forget(id: string): void;
  /**
   * Calls that were sent with `ctx.send` and refused for good, of the senders that this node leads: ask
   * every node for all of them. Of each sender the newest 128 refusals are remembered.
   * @throws LatticeError `invalid_argument` for a filter that cannot be
   */
  failedSends(filter?: FailedSendFilter): readonly FailedSend[];
  /**
   * Sends a failed call anew, as the last one of its sender. Takes effect once, however often and on
   * whichever node it is repeated.
   * @param sender `function/key`
   * @throws LatticeError `not_found` when no such call is kept (any more), `overloaded` when the outbox
   *   of its sender is full, `unavailable` or `deadline_exceeded` when no primary could be reached
   */
  redeliver(sender: string, id: string): Promise<void>;
  /** Drops a failed call. @throws LatticeError as `redeliver` */
  discardFailed(sender: string, id: string): Promise<void>;
  /** Hands everything over to the others, then stops; at most 30 s. */
  leave(): Promise<void>;
}

/**
 * Starts a node in this process. Resolves when it serves: it has found its cluster, or created one.
 *
 * @throws LatticeError `invalid_argument` for an option that cannot be, `failed_precondition` when
 *   the port or the node id is taken, `incompatible` when a join address belongs to another
 *   cluster, `permission_denied` for an address that is not loopback
 */
export async function startNode<F extends Functions>(options: NodeOptions<F>): Promise<Node<F>> {
  const settings = checkNodeOptions(options);
  const { logger = "info" } = options;
  const platform = nodePlatform(typeof logger === "string" ? { logLevel: logger } : { logger });
  const transport = new WebSocketTransport(platform.timers);
  const compute = new ThreadPool({ logger: platform.logger });
  const world = { platform, transport, compute };
  const node = await launchNode(settings, world).catch((error: unknown) => {
    platform.close();
    throw error;
  });
  void node.stopped.then(() => {
    platform.close();
    return compute.close();
  });
  const leave = (): Promise<void> => node.leave();
  return {
    id: node.identity.id,
    address: node.identity.address,
    stopped: node.stopped,
    get: <N extends keyof F & string>(name: N, key: string) =>
      node.get(name, key) as HandleOf<F, N>,
    session: (options) => {
      const session = node.session(options?.token ?? "");
      return {
        get: <N extends keyof F & string>(name: N, key: string) =>
          session.get(name, key) as HandleOf<F, N>,
        token: () => session.token(),
      };
    },
    status: () => node.status(),
    stats: (statsOptions) => node.stats(statsOptions),
    events: () => node.events(),
    forget: (id) => {
      node.forget(id);
    },
    failedSends: (filter = {}) => node.failedSends(filter),
    redeliver: (sender, id) => node.redeliver(sender, id),
    discardFailed: (sender, id) => node.discardFailed(sender, id),
    leave,
    [Symbol.asyncDispose]: leave,
  };
}
