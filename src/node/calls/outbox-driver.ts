/**
 * Delivers the outboxes of the entities that this node leads: feeds the scheduler with what is
 * committed, makes its calls, and commits on the sender what has arrived.
 */
import { sendIdText } from "../../functions/failed-send-operations.ts";
import { OutboxDelivery, type RefusedSend } from "../../functions/outbox-delivery.ts";
import { outboxCaller } from "../../functions/outbox-caller.ts";
import type { Registry } from "../../functions/registry.ts";
import { SettledSends } from "../../functions/settled-sends.ts";
import type { Turns } from "../../functions/turns.ts";
import { majority } from "../../model/acks.ts";
import { LatticeError } from "../../model/error.ts";
import { callId, entityName, type EntityName, type PartitionId } from "../../model/ids.ts";
import { traceIdOf } from "../../model/traceparent.ts";
import type { Platform } from "../../platform/platform.ts";
import type { Entity } from "../../state/entity.ts";
import type { OutboxEntry } from "../../state/outbox.ts";
import { isSameSend } from "../../state/send.ts";
import type { SendId } from "../../state/send.ts";
import type { Buggify } from "../buggify.ts";
import type { Announcer } from "../events/announcer.ts";
import type { Partitions } from "../partitions/partitions.ts";
import type { Addresses } from "./addresses.ts";
import type { Farewells } from "./farewells.ts";
import type { NodeCaller } from "./node-caller.ts";

/** One attempt of a delivery; the scheduler goes on after it, for ever. */
const deliveryTimeoutMs = 10_000;

export interface OutboxDriverOptions {
  readonly platform: Platform;
  readonly registry: Registry;
  readonly turns: Turns;
  readonly addresses: Addresses;
  readonly caller: NodeCaller;
  readonly partitions: Partitions;
  readonly events: Announcer;
  readonly farewells: Farewells;
  readonly buggify?: Pick<Buggify, "settledMin"> | undefined;
}

export class OutboxDriver {
  readonly #options: OutboxDriverOptions;
  readonly #delivery: OutboxDelivery;
  /** Entities with outboxes that the scheduler was told of, by partition. */
  readonly #told = new Map<PartitionId, Set<EntityName>>();
  readonly #settled: SettledSends;
  #inheritedCount = 0;

  constructor(options: OutboxDriverOptions) {
    this.#options = options;
    this.#settled = new SettledSends((target, callers) => {
      options.farewells.say(target, callers);
    }, options.buggify?.settledMin);
    this.#delivery = new OutboxDelivery(options.platform, {
      deliver: (sender, entry, attempt, done) => {
        this.#deliver(sender, entry, attempt, done);
      },
      confirm: (sender, over, refused, done) => {
        this.#confirm(sender, over, refused, done);
      },
      settled: (sender, over, copies) => {
        this.#noteSettled(sender, over, copies);
      },
      abandoned: (sender, { writer }) => {
        this.#settled.noteStray(outboxCaller(sender, writer), this.#now());
      },
      refused: (sender, { entry, error }) => {
        options.events.tell({
          type: "outbox.failed",
          sender,
          id: sendIdText(entry),
          target: entityName(entry.functionName, entry.key),
          operation: entry.operation,
          code: error.code,
          message: error.message,
          call: callId(outboxCaller(sender, entry.writer), entry.number),
          ...(entry.trace === undefined ? {} : { traceId: traceIdOf(entry.trace) }),
        });
      },
    });
  }

  get depth(): number {
    return this.#delivery.depth;
  }

  get deliveredCount(): number {
    return this.#delivery.deliveredCount;
  }

  /** Deliveries that may have been made before: repeated ones, and those of an earlier primary. */
  get redeliveredCount(): number {
    return this.#delivery.redeliveredCount + this.#inheritedCount;
  }

  partitionEnded(partition: PartitionId): void {
    for (const name of this.#told.get(partition) ?? []) this.#delivery.drop(name);
    this.#told.delete(partition);
  }

  /** The committed state of an entity that this node leads moved on. */
  changed(partition: PartitionId, name: EntityName): void {
    const entity = this.#options.partitions.replica(partition)?.committedEntity(name);
    this.#update(partition, name, entity?.outbox.entries ?? []);
  }

  /** The same, with the committed form of the entity at hand. */
  entityChanged(partition: PartitionId, entity: Entity): void {
    const { entries } = entity.outbox;
    // Most entities send nothing, and most nodes have nothing to send at all.
    if (entries.length > 0 || this.#told.size > 0) this.#update(partition, entity.name, entries);
  }

  #update(partition: PartitionId, name: EntityName, entries: readonly OutboxEntry[]): void {
    const told = this.#told.get(partition);
    if (entries.length === 0 && told?.has(name) !== true) return;
    // Before anything goes out, for what is delivered at once may come back here.
    if (entries.length > 0) {
      if (told === undefined) this.#told.set(partition, new Set([name]));
      else told.add(name);
    } else if (told !== undefined) {
      told.delete(name);
      if (told.size === 0) this.#told.delete(partition);
    }
    this.#delivery.update(name, entries);
  }

  stop(): void {
    this.#delivery.stop();
  }

  #deliver(
    sender: EntityName,
    entry: OutboxEntry,
    attempt: number,
    done: Parameters<ConstructorParameters<typeof OutboxDelivery>[1]["deliver"]>[3],
  ): void {
    const { registry, caller, partitions } = this.#options;
    const replica = partitions.replica(partitions.partitionOf(sender));
    const isInherited = entry.writer !== replica?.writer;
    const obstacle = obstacleTo(sender, entry, replica);
    if (obstacle !== undefined) {
      done(new LatticeError("unavailable", obstacle));
      return;
    }
    if (isInherited && attempt === 1) this.#inheritedCount += 1;
    const from = outboxCaller(sender, entry.writer);
    const target = entityName(entry.functionName, entry.key);
    const settings = registry.has(entry.functionName)
      ? registry.find(entry.functionName).settings
      : undefined;
    caller.call(
      {
        functionName: entry.functionName,
        key: entry.key,
        operation: entry.operation,
        isQuery: false,
        input: entry.input,
        timeoutMs: deliveryTimeoutMs,
        caller: from,
        number: entry.number,
        // Delivered in order, so everything before it has been answered.
        received: () => entry.number,
        outbox: true,
        isRetry: attempt > 1 || isInherited,
        whenSplit: settings?.whenSplit ?? "serve",
        readFrom: "primary",
        session: undefined,
        acks: undefined,
        strictAcks: false,
        ageTime: 0,
        ageId: "",
        chain: [],
        trace: entry.trace ?? "",
      },
      (end) => {
        if (end.type === "ok" ? end.hasStrays : end.error.indeterminate) {
          this.#settled.noteStray(from, this.#now());
        }
        if (end.type === "failed" && end.error.code === "overloaded") this.#settled.press(target);
        done(end.type === "ok" ? undefined : end.error);
      },
    );
  }

  #confirm(
    sender: EntityName,
    over: readonly OutboxEntry[],
    refused: readonly RefusedSend[],
    done: (copies: number | undefined) => void,
  ): void {
    this.#options.turns.runInternal(
      this.#options.addresses.ofName(sender),
      (draft) => {
        for (const { entry, error } of refused) draft.failSent(entry, error);
        const isRefused = (id: SendId): boolean =>
          refused.some(({ entry }) => isSameSend(entry, id));
        draft.confirmSent(over.filter((entry) => !isRefused(entry)));
      },
      (outcome) => {
        done(outcome.type === "ok" ? outcome.copies : undefined);
      },
    );
  }

  /** What a majority holds as over is: of what this node has sent itself, in this term. */
  #noteSettled(sender: EntityName, over: readonly OutboxEntry[], copies: number): void {
    const { partitions } = this.#options;
    const replica = partitions.replica(partitions.partitionOf(sender));
    const owners = replica?.owners?.processes.length ?? Infinity;
    if (replica?.serving !== "primary" || copies < majority(owners)) return;
    for (const { functionName, key, writer, number } of over) {
      if (writer !== replica.writer) continue;
      const target = entityName(functionName, key);
      this.#settled.settled(target, outboxCaller(sender, writer), number, this.#now());
    }
  }

  #now(): number {
    return this.#options.platform.clock.now();
  }
}

/**
 * Why it must not be sent now: its target may be done with what was delivered, by those with a majority, or
 * by an earlier primary whose word of that is here and not yet committed anew.
 */
function obstacleTo(
  sender: EntityName,
  entry: OutboxEntry,
  replica: ReturnType<Partitions["replica"]>,
): string | undefined {
  const newest = replica?.tip(sender, false);
  if (newest?.outbox.get(entry) === undefined) return "its delivery is over";
  const isOurs = entry.writer === replica?.writer || replica?.serving === "primary";
  return isOurs ? undefined : `${sender} is served without a majority`;
}
