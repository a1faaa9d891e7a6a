/**
 * The client: finds the cluster through its join addresses, then calls every node directly. It knows
 * functions by name only; their types come from `typeof functions`, their options from the nodes.
 *
 * `connectWith` takes the world as arguments; the entry files give it the real one.
 */
import { handleOf, type HandleCallee, type HandleOf } from "../definition/handle.ts";
import { checkKey } from "../model/names.ts";
import { LatticeError } from "../model/error.ts";
import type { Platform, Timer } from "../platform/platform.ts";
import { partitionOf } from "../ring/partition.ts";
import { RoutingTable } from "../routing/routing-table.ts";
import type { Transport } from "../transport/transport.ts";
import type { Message, TableMessage, WelcomeMessage } from "../wire/messages.ts";
import { Caller } from "./caller.ts";
import {
  checkConnectOptions,
  type ConnectOptions,
  type ConnectSettings,
} from "./connect-options.ts";
import type { LinkEnd, NodeLink } from "./node-link.ts";
import { NodeLinks, type NodeLinksEvents } from "./node-links.ts";
import { Watches } from "./watches.ts";

/** How long `close` waits for nodes to answer the close hand shake. */
const closeTimeoutMs = 1_000;

/** A connected client of a cluster with the functions `F`. */
export interface Client<F> extends AsyncDisposable {
  /**
   * The handle of a function and key; costs nothing until it is called.
   * @throws LatticeError `invalid_argument` for a key that cannot be one
   */
  get<N extends keyof F & string>(name: N, key: string): HandleOf<F, N>;
  /**
   * What this client has seen so far, as text of some bytes for each partition that it has called. Another
   * client goes on with it (`connect({ token })`): it is never shown anything older.
   * @throws LatticeError `failed_precondition` unless it was connected with `session: true` or a token
   */
  token(): string;
  /**
   * Says goodbye and ends everything: calls under way reject with `cancelled`, watches end. Resolves
   * when the connections are gone, after one second at most.
   */
  close(): Promise<void>;
}

/** What a client needs of the world. */
export interface ClientWorld {
  readonly platform: Platform;
  readonly transport: Transport;
}

/**
 * Connects to a cluster. Resolves when one node has answered and told its table.
 *
 * @throws LatticeError `invalid_argument` for options that cannot work, `unavailable` when no join
 *   address answers in `timeoutMs`, `incompatible` when it is another cluster or version
 */
export async function connectWith<F>(
  options: ConnectOptions,
  world: ClientWorld,
): Promise<Client<F>> {
  const connection = new Connection(checkConnectOptions(options), world);
  await connection.opened();
  const source: HandleCallee = { call: connection.call, watch: connection.watch };
  return {
    get: <N extends keyof F & string>(functionName: N, key: string) => {
      checkKey(key);
      return handleOf(source, functionName, key) as HandleOf<F, N>;
    },
    token: () => connection.token(),
    close: () => connection.close(),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

class Connection implements NodeLinksEvents {
  readonly #settings: ConnectSettings;
  readonly #platform: Platform;
  readonly #table = new RoutingTable();
  readonly #links: NodeLinks;
  readonly #caller: Caller;
  readonly #watches: Watches;
  /** Join addresses that lead to another cluster or version, and what was said of it. */
  readonly #misfits = new Map<string, string>();
  #opening: { resolve: () => void; reject: (error: LatticeError) => void } | undefined;
  #openTimer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: ConnectSettings, { platform, transport }: ClientWorld) {
    this.#settings = settings;
    this.#platform = platform;
    const table = this.#table;
    const { nodes, cluster, direct, protection, session } = settings;
    const links = new NodeLinks({
      platform,
      transport,
      table,
      nodes,
      cluster,
      direct,
      events: this,
    });
    const partition = (functionName: string, key: string): number =>
      partitionOf(functionName, key, table.partitionCount);
    this.#links = links;
    this.#caller = new Caller({
      platform,
      table,
      links,
      protection,
      session,
      partitionOf: partition,
    });
    this.#watches = new Watches({ platform, table, links, partitionOf: partition });
  }

  get call(): Caller["call"] {
    return this.#caller.call;
  }

  get watch(): Watches["watch"] {
    return this.#watches.watch;
  }

  token(): string {
    const { session } = this.#settings;
    if (session !== undefined) return session.token(this.#table.partitionCount);
    throw new LatticeError(
      "failed_precondition",
      "this client keeps no session: connect it with { session: true }",
    );
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#openTimer = this.#platform.timers.after(this.#settings.timeoutMs, () => {
        this.#openFailed(this.#unreachable());
      });
      this.#links.start();
    });
  }

  welcomed(link: NodeLink, welcome: WelcomeMessage): void {
    const { cluster } = this.#settings;
    if (cluster === "" || welcome.cluster === cluster) return;
    const message = `it belongs to cluster "${welcome.cluster}", not to "${cluster}"`;
    this.#misfits.set(link.address, message);
    throw new LatticeError("incompatible", message);
  }

  message(link: NodeLink, message: Message): void {
    switch (message.type) {
      case "reply":
        this.#caller.replied(link, message);
        break;
      case "failure":
        this.#caller.failed(link, message);
        break;
      case "table":
        this.#tableCame(link, message);
        break;
      case "snapshot":
      case "change":
        this.#watches.changed(link, message);
        break;
      case "watch-end":
        this.#watches.ended(link, message);
        break;
      default:
        // Not for clients; a newer node may send what this version does not know yet.
        this.#platform.logger.debug("ignored a message", { type: message.type, node: link.node });
    }
  }

  #tableCame(link: NodeLink, message: TableMessage): void {
    let change;
    try {
      change = this.#table.apply(message);
    } catch (error) {
      this.#platform.logger.error("refused a routing table", { node: link.node, error });
      link.problem = error instanceof Error ? error.message : String(error);
      link.terminate();
      return;
    }
    if (change.members) this.#links.membersChanged();
    if (change.members || change.primaries) {
      this.#caller.primariesChanged();
      this.routesChanged();
    }
    if (message.full) this.#openSucceeded(message.partitionCount);
  }

  routesChanged(): void {
    if (this.#table.partitionCount === 0) return;
    this.#caller.routesChanged();
    this.#watches.routesChanged();
  }

  drained(link: NodeLink): void {
    this.#caller.drained(link);
  }

  ended(link: NodeLink, end: LinkEnd): void {
    const { refused } = end;
    if (refused?.code === "cluster_mismatch" || refused?.code === "protocol_mismatch") {
      this.#misfits.set(link.address, refused.message);
    }
    if (this.#opening !== undefined) this.#giveUpIfHopeless();
    this.#watches.linkEnded(link);
    this.#caller.linkEnded(link);
  }

  /** Waiting does not help where every join address belongs to something else. */
  #giveUpIfHopeless(): void {
    const { nodes } = this.#settings;
    if (!nodes.every((address) => this.#misfits.has(address))) return;
    const why = nodes.map((address) => `${address}: ${this.#misfits.get(address) ?? ""}`);
    this.#openFailed(new LatticeError("incompatible", `connect: ${why.join("; ")}`));
  }

  #unreachable(): LatticeError {
    const { nodes, timeoutMs } = this.#settings;
    return new LatticeError(
      "unavailable",
      `connect: none of ${nodes.join(", ")} answered in ${String(timeoutMs)} ms ` +
        `(${this.#links.problem()}); start a node there, or give the address of a running one`,
      { retryAfterMs: timeoutMs },
    );
  }

  #openSucceeded(partitionCount: number): void {
    if (this.#opening === undefined) return;
    try {
      this.#settings.session?.checkCluster(partitionCount);
    } catch (error) {
      this.#openFailed(error as LatticeError);
      return;
    }
    this.#openTimer?.cancel();
    this.#opening.resolve();
    this.#opening = undefined;
  }

  #openFailed(error: LatticeError): void {
    const { reject } = this.#opening ?? {};
    this.#opening = undefined;
    if (reject === undefined) return;
    void this.close().then(() => {
      reject(error);
    });
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#openTimer?.cancel();
      this.#watches.close();
      this.#caller.close();
      const reason = this.#caller.isDone ? "done" : "closed";
      const timer = this.#platform.timers.after(closeTimeoutMs, () => {
        this.#links.terminate();
      });
      this.#links.close(reason, () => {
        timer.cancel();
        resolve();
      });
    });
    return this.#closing;
  }
}
