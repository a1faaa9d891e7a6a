/**
 * The watches of a client. Each is subscribed at the primary of its partition, or at a node that was
 * asked in its place; when that node or its role is gone it is subscribed again elsewhere, saying
 * which version it has. Only a reason that another node would give too ends it.
 */
import type { HandleWatch } from "../definition/handle.ts";
import { LatticeError } from "../model/error.ts";
import type { Platform } from "../platform/platform.ts";
import { fullJitterMs, type BackOff } from "../routing/back-off.ts";
import type { RoutingTable } from "../routing/routing-table.ts";
import type { ChangeMessage, SnapshotMessage, WatchEndMessage } from "../wire/messages.ts";
import { catalogueEntry, encodeInput, isQuery } from "./call-preparation.ts";
import { LatestValue } from "./latest-value.ts";
import type { NodeLink } from "./node-link.ts";
import type { NodeLinks } from "./node-links.ts";
import { WatchSession, type WatchTarget } from "./watch-session.ts";

/** Watches of one client; a node takes as many of one connection. */
export const maxWatches = 1_024;

const watchBackOff: BackOff = { baseMs: 20, maxMs: 2_000 };

export interface WatchesOptions {
  readonly platform: Platform;
  readonly table: RoutingTable;
  readonly links: NodeLinks;
  readonly partitionOf: (functionName: string, key: string) => number;
}

/** What a handle may watch; without `field` or `query` the whole state. */
export interface WatchRequest extends HandleWatch {
  readonly field?: string | undefined;
  readonly query?: string | undefined;
  readonly input?: unknown;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #sessions = new Map<number, WatchSession>();
  #lastId = 0;
  #isClosed = false;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** Every iteration is a watch of its own, which begins with its first step and ends with its last. */
  readonly watch = (request: WatchRequest): AsyncIterable<unknown> => ({
    [Symbol.asyncIterator]: () => this.#start(request),
  });

  #start(request: WatchRequest): AsyncIterator<unknown> {
    const { signal } = request.options;
    let session: WatchSession | undefined;
    const aborted = (): void => {
      values.end({ error: cancelled(request, signal?.reason) });
    };
    const values = new LatestValue<unknown>(() => {
      signal?.removeEventListener("abort", aborted);
      if (session !== undefined) this.#forget(session);
    });
    try {
      const target = this.#targetOf(request);
      if (signal?.aborted === true) throw cancelled(request, signal.reason);
      session = new WatchSession(this.#newId(request), target, values);
    } catch (error) {
      values.end({ error });
      return values;
    }
    signal?.addEventListener("abort", aborted, { once: true });
    this.#sessions.set(session.id, session);
    this.#attach(session);
    return values;
  }

  #newId(request: WatchRequest): number {
    if (this.#isClosed) {
      throw new LatticeError("cancelled", "this client is closed: connect a new one");
    }
    if (this.#sessions.size >= maxWatches) {
      throw new LatticeError(
        "overloaded",
        `${request.functionName}/${request.key}: this client has ${String(maxWatches)} watches ` +
          `already; end some of them first`,
      );
    }
    return ++this.#lastId;
  }

  #targetOf({ functionName, key, field, query, input }: WatchRequest): WatchTarget {
    const entry = catalogueEntry(this.#options.table, functionName);
    if (entry.stateless) {
      throw new LatticeError("invalid_argument", `${functionName} has no state to watch`);
    }
    if (query !== undefined && !isQuery(entry, query)) {
      throw new LatticeError(
        "invalid_argument",
        `${functionName}: ${query} is a handler, only queries can be watched`,
      );
    }
    return {
      functionName,
      key,
      partition: this.#options.partitionOf(functionName, key),
      field: query ?? field ?? "",
      query: query !== undefined,
      input: encodeInput(entry, query ?? "watch", input),
    };
  }

  #attach(session: WatchSession): void {
    const link = this.#options.links.route(session.target.partition, session.tried);
    // Not ready yet: `routesChanged` comes by when it is, or when it takes too long.
    if (link?.isReady !== true) return;
    session.link = link;
    link.send(session.request());
  }

  /** Links or tables changed: those that look for a node, or for a better one, try again. */
  routesChanged(): void {
    for (const session of this.#sessions.values()) {
      if (session.link !== undefined) this.#moveToPrimary(session, session.link);
      else if (session.retryTimer === undefined) this.#attach(session);
    }
  }

  /** Who watches at an old primary would hear nothing new there. */
  #moveToPrimary(session: WatchSession, link: NodeLink): void {
    const { links } = this.#options;
    const { partition } = session.target;
    if (links.isPrimary(partition, link)) return;
    const better = links.route(partition, []);
    if (better?.isReady !== true || !links.isPrimary(partition, better)) return;
    link.send({ type: "unwatch", id: session.id });
    session.tried = [];
    session.link = better;
    better.send(session.request());
  }

  linkEnded(link: NodeLink): void {
    for (const session of this.#sessions.values()) {
      if (session.link !== link) continue;
      session.link = undefined;
      session.tried = [];
    }
  }

  changed(link: NodeLink, message: SnapshotMessage | ChangeMessage): void {
    const session = this.#sessions.get(message.id);
    if (session?.link !== link) return;
    if (!session.take(message)) link.send(session.request());
  }

  ended(link: NodeLink, end: WatchEndMessage): void {
    const session = this.#sessions.get(end.id);
    if (session?.link !== link) return;
    session.link = undefined;
    const { partition, functionName, key } = session.target;
    if (!isPassing(end)) {
      const message = `${functionName}/${key} watch: ${end.message}`;
      const error = new LatticeError(end.code, message, { function: functionName, key });
      session.values.end({ error });
      return;
    }
    const { table, links } = this.#options;
    const slot = links.slotOf(link);
    if (slot >= 0) session.tried = [...session.tried, slot];
    if (end.primary !== "" && end.primary !== link.node) table.learnPrimary(partition, end.primary);
    if (end.code === "not_owner" && links.hasOther(partition, session.tried)) this.#attach(session);
    else this.#later(session);
  }

  #later(session: WatchSession): void {
    const { platform } = this.#options;
    const delayMs = fullJitterMs(watchBackOff, session.failures, platform.random);
    session.failures += 1;
    session.tried = [];
    session.retryTimer = platform.timers.after(delayMs, () => {
      session.retryTimer = undefined;
      this.#attach(session);
    });
  }

  #forget(session: WatchSession): void {
    this.#sessions.delete(session.id);
    session.retryTimer?.cancel();
    if (session.link?.isReady === true) session.link.send({ type: "unwatch", id: session.id });
    session.link = undefined;
  }

  /** Ends all watches; their loops end as if there were no more changes. */
  close(): void {
    this.#isClosed = true;
    for (const session of [...this.#sessions.values()]) session.values.end();
  }
}

/** Another node, or the same one later, may say otherwise. */
function isPassing(end: WatchEndMessage): boolean {
  switch (end.code) {
    case "not_owner":
    case "unavailable":
    case "overloaded":
    case "indeterminate":
    case "aborted":
      return true;
    default:
      return false;
  }
}

function cancelled({ functionName, key }: WatchRequest, cause: unknown): LatticeError {
  return new LatticeError("cancelled", `${functionName}/${key} watch: its signal was aborted`, {
    cause,
  });
}
