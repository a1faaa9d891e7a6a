/**
 * Serves watches: owns their table, reads what they watch from the store, runs watched queries as
 * ordinary query turns, and sends what each watcher lacks once per tick.
 */
import { decodeValue, encodeValue } from "../../codec/value-bytes.ts";
import { limits } from "../../model/limits.ts";
import type { Shape } from "../../definition/kinds.ts";
import type { Registry } from "../../functions/registry.ts";
import type { TurnOutcome } from "../../functions/ports.ts";
import { ownTurn } from "../../functions/turn-request.ts";
import type { Turns } from "../../functions/turns.ts";
import type { Selection } from "../../live/selection.ts";
import { Watchers, type LiveEffect, type QueryOutcome } from "../../live/watchers.ts";
import type { LinkId } from "../../live/watcher.ts";
import { LatticeError } from "../../model/error.ts";
import { entityName, type EntityName, type NodeId, type PartitionId } from "../../model/ids.ts";
import { checkKey } from "../../model/names.ts";
import type { Value } from "../../model/value.ts";
import type { Platform, Timer } from "../../platform/platform.ts";
import { plainOf } from "../../state/plain.ts";
import { Entity } from "../../state/entity.ts";
import type {
  ChangeMessage,
  SnapshotMessage,
  WatchEndMessage,
  WatchMessage,
} from "../../wire/messages.ts";
import type { Addresses } from "../calls/addresses.ts";
import { noBytes } from "../calls/served-call.ts";

/** Text is sent whole, so it is sent seldom. */
const textIntervalMs = 100;

/** What a watch may read. */
export interface WatchSource {
  isServing(partition: PartitionId): boolean;
  /** The state that may be shown; `undefined` entity for one that does not exist yet. */
  visible(
    partition: PartitionId,
    name: EntityName,
  ): { readonly entity: Entity | undefined; readonly degraded: boolean };
  primaryOf(partition: PartitionId): NodeId;
}

export interface WatchServerOptions {
  readonly tag: string;
  readonly platform: Platform;
  readonly addresses: Addresses;
  readonly registry: Registry;
  readonly turns: Turns;
  readonly source: WatchSource;
  /** Sends to the connection; false when it takes no more for now. */
  send(link: LinkId, message: SnapshotMessage | ChangeMessage | WatchEndMessage): boolean;
}

export class WatchServer {
  readonly #options: WatchServerOptions;
  readonly #watchers: Watchers;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #flushDue = false;
  #stopped = false;

  constructor(options: WatchServerOptions) {
    this.#options = options;
    this.#watchers = new Watchers({
      tag: options.tag,
      encode: encodeValue,
      read: (name, field) => this.#read(name, field),
    });
  }

  get count(): number {
    return this.#watchers.count;
  }

  watch(link: LinkId, message: WatchMessage): void {
    const { addresses, source } = this.#options;
    const { id, functionName, key } = message;
    try {
      checkKey(key);
      this.#checkTarget(message);
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      const { code, message: why } = error;
      this.#options.send(link, { type: "watch-end", id, code, message: why, primary: "" });
      return;
    }
    const { partition } = addresses.of(functionName, key);
    if (!source.isServing(partition)) {
      this.#options.send(link, {
        type: "watch-end",
        id,
        code: "not_owner",
        message: `${functionName}/${key} is served elsewhere`,
        primary: source.primaryOf(partition),
      });
      return;
    }
    this.#perform(
      this.#watchers.subscribe({
        link,
        id,
        partition,
        resume: message.resume,
        target: {
          entity: entityName(functionName, key),
          field: message.field,
          query: message.query,
          input: message.input,
          minIntervalMs: this.#minIntervalMs(functionName, message),
        },
      }),
    );
    this.#flushSoon();
  }

  unwatch(link: LinkId, id: number): void {
    this.#watchers.unsubscribe(link, id, this.#now());
  }

  linkClosed(link: LinkId): void {
    this.#watchers.linkClosed(link, this.#now());
  }

  drained(link: LinkId): void {
    this.#watchers.drained(link);
    this.#flushSoon();
  }

  /** The visible state of an entity changed. */
  changed(name: EntityName): void {
    if (!this.#watchers.watches(name)) return;
    this.#watchers.changed(name);
    this.#flushSoon();
  }

  /** This node stopped serving a partition, or serves it in another way. */
  partitionEnded(partition: PartitionId): void {
    this.#perform(
      this.#watchers.end((of) => of === partition, {
        code: "not_owner",
        message: "the partition is served elsewhere",
        primary: this.#options.source.primaryOf(partition),
      }),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #checkTarget({ functionName, field, query }: WatchMessage): void {
    const { registry } = this.#options;
    const { shape, isStateless } = registry.find(functionName);
    if (isStateless) {
      throw new LatticeError("invalid_argument", `${functionName} has no state to watch`);
    }
    if (query) {
      const operation = registry.operation(functionName, field);
      if (operation.isQuery) return;
      throw new LatticeError("invalid_argument", `${functionName}.${field} is no query`);
    }
    if (field === "" || Object.hasOwn(shape, field)) return;
    const fields = Object.keys(shape).join(", ");
    throw new LatticeError("not_found", `${functionName} has no field ${field}; it has ${fields}`);
  }

  #minIntervalMs(functionName: string, { field, query }: WatchMessage): number {
    if (query) return 0;
    const { shape } = this.#options.registry.find(functionName);
    const kinds = field === "" ? Object.values(shape) : [shape[field]];
    return kinds.some((kind) => kind?.kind === "text") ? textIntervalMs : 0;
  }

  #read(name: EntityName, field: string): { value: Value; degraded: boolean } {
    const { registry, source, addresses } = this.#options;
    const { functionName, partition } = addresses.ofName(name);
    const { shape } = registry.find(functionName);
    const { entity, degraded } = source.visible(partition, name);
    const wanted: Shape = field === "" ? shape : { [field]: shape[field]! };
    const plain = plainOf(entity ?? Entity.create(name), wanted) as Record<string, Value>;
    return { value: field === "" ? plain : (plain[field] ?? null), degraded };
  }

  #flushSoon(): void {
    if (this.#flushDue || this.#stopped) return;
    this.#flushDue = true;
    this.#options.platform.timers.defer(() => {
      this.#flushDue = false;
      if (!this.#stopped) this.#flush();
    });
  }

  #flush(): void {
    this.#perform(this.#watchers.flush(this.#now()));
    const at = this.#watchers.nextFlushAt();
    if (at === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = at;
    if (at === Infinity) return;
    this.#timer = this.#options.platform.timers.after(Math.max(0, at - this.#now()), () => {
      this.#timerAt = Infinity;
      this.#flush();
    });
  }

  #perform(effects: readonly LiveEffect[]): void {
    for (const effect of effects) {
      if (effect.type === "query") this.#runQuery(effect.selection);
      else if (!this.#options.send(effect.link, effect.message)) {
        this.#watchers.needsResync(effect.link);
      }
    }
  }

  #runQuery(selection: Selection): void {
    const { entity, field, input } = selection.target;
    const now = this.#now();
    const query = ownTurn({
      address: this.#options.addresses.ofName(entity),
      operation: field,
      input,
      degradedAllowed: true,
      arrivedAt: now,
      deadlineAt: now + limits.deadlineMsDefault,
      settle: (outcome) => {
        this.#perform(this.#watchers.answered(selection, queryOutcome(outcome)));
        this.#flushSoon();
      },
    });
    this.#options.turns.submit(query);
  }

  #now(): number {
    return this.#options.platform.clock.now();
  }
}

function queryOutcome(outcome: TurnOutcome): QueryOutcome {
  switch (outcome.type) {
    case "ok":
      return {
        type: "value",
        reading: {
          value:
            outcome.value === noBytes || outcome.value.length === 0
              ? undefined
              : decodeValue(outcome.value),
          degraded: outcome.degraded,
        },
      };
    case "failed":
      return { type: "failed", code: outcome.error.code, message: outcome.error.message };
    case "degraded_offered":
      return { type: "failed", code: "unavailable", message: "no majority is reachable" };
  }
}
