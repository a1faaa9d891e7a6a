/**
 * Fires the timers of the entities that this node leads: tells the scheduler what is committed and
 * the time, and runs what is due as turns of this node. One timer of the platform wakes it, whatever
 * the number of theirs.
 */
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { TurnOutcome } from "../../functions/ports.ts";
import { TimerDelivery, type TimerTask } from "../../functions/timer-delivery.ts";
import { ownTurn, type TurnRequest } from "../../functions/turn-request.ts";
import type { Turns } from "../../functions/turns.ts";
import { LatticeError } from "../../model/error.ts";
import type { EntityName, PartitionId } from "../../model/ids.ts";
import type { Platform, Timer } from "../../platform/platform.ts";
import type { Entity } from "../../state/entity.ts";
import { noTimers, type EntityTimer } from "../../state/timers.ts";
import type { Announcer } from "../events/announcer.ts";
import type { Partitions } from "../partitions/partitions.ts";
import type { Addresses } from "./addresses.ts";

/** The clock of the cluster may be hurried by a thousandth of this before it is looked at again. */
const sleepMsMax = 60_000;
/** A handler that sets its own timer anew, at once and for ever, leaves time for everything else. */
const sleepMsMin = 1;

export interface TimerDriverOptions {
  readonly platform: Platform;
  readonly turns: Turns;
  readonly addresses: Addresses;
  readonly partitions: Partitions;
  readonly events: Announcer;
  /** The time of the cluster in milliseconds, as `ctx.now` has it: later primaries will agree on it. */
  readonly clusterNow: () => number;
}

export class TimerDriver {
  readonly #options: TimerDriverOptions;
  readonly #delivery: TimerDelivery;
  /** Entities with timers that the scheduler was told of, by partition. */
  readonly #told = new Map<PartitionId, Set<EntityName>>();
  #alarm: Timer | undefined = undefined;
  /** When the alarm goes off, by the cluster's clock. */
  #alarmAt = Infinity;
  #isLooking = false;

  constructor(options: TimerDriverOptions) {
    this.#options = options;
    this.#delivery = new TimerDelivery(options.platform.random);
  }

  /** Timers of the entities that this node leads. */
  get count(): number {
    return this.#delivery.count;
  }

  get firedCount(): number {
    return this.#delivery.firedCount;
  }

  get failedCount(): number {
    return this.#delivery.failedCount;
  }

  /** Those among them that are due. Costs a pass. @param now of the cluster's clock */
  dueCount(now: number): number {
    return this.#delivery.dueCount(now);
  }

  partitionEnded(partition: PartitionId): void {
    for (const name of this.#told.get(partition) ?? []) this.#delivery.drop(name);
    this.#told.delete(partition);
  }

  /** The committed state of an entity that this node leads moved on. */
  changed(partition: PartitionId, name: EntityName): void {
    const entity = this.#options.partitions.replica(partition)?.committedEntity(name);
    this.#update(partition, name, entity?.timers ?? noTimers);
  }

  /** The same, with the committed form of the entity at hand. */
  entityChanged(partition: PartitionId, { name, timers }: Entity): void {
    this.#update(partition, name, timers);
  }

  /** The clock of the cluster was set: what is due may be so sooner. */
  clockSet(): void {
    // A clock that nobody has waited by need not be read, which would settle it.
    if (this.#alarmAt === Infinity) return;
    this.#rest();
    this.#look();
  }

  stop(): void {
    this.#rest();
    this.#delivery.stop();
  }

  #update(partition: PartitionId, name: EntityName, timers: readonly EntityTimer[]): void {
    const told = this.#told.get(partition);
    if (timers.length === 0 && told?.has(name) !== true) return;
    this.#delivery.update(name, timers);
    if (timers.length > 0) {
      if (told === undefined) this.#told.set(partition, new Set([name]));
      else told.add(name);
    } else if (told !== undefined) {
      told.delete(name);
      if (told.size === 0) this.#told.delete(partition);
    }
    this.#setAlarm();
  }

  /** Does what is due now; what comes due by that is for a later turn of the event loop. */
  #look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const now = this.#options.clusterNow();
      for (const task of this.#delivery.take(now)) this.#perform(task);
    } finally {
      this.#isLooking = false;
    }
    this.#setAlarm();
  }

  #perform(task: TimerTask): void {
    const { turns, addresses, platform, clusterNow } = this.#options;
    const address = addresses.ofName(task.entity);
    const done = (outcome: TurnOutcome): void => {
      this.#ended(task, outcome);
    };
    if (task.isRefused) {
      turns.runInternal(address, (draft) => draft.timers.take(task.timer, clusterNow()), done);
    } else turns.submit(requestOf(task.timer, address, platform.clock.now(), done));
  }

  #ended(task: TimerTask, outcome: TurnOutcome): void {
    const error = errorOf(outcome);
    const isRefused = this.#delivery.ended(task, error, this.#options.clusterNow());
    if (isRefused && error !== undefined) {
      const { entity, timer } = task;
      const { code, message } = error;
      const { id, operation } = timer;
      this.#options.events.tell({ type: "timer.failed", entity, id, operation, code, message });
    }
    this.#look();
  }

  #setAlarm(): void {
    const at = this.#delivery.nextAt;
    // When it goes off too early, it is set again.
    if (at >= this.#alarmAt || this.#isLooking) return;
    this.#rest();
    const { platform, clusterNow } = this.#options;
    const delayMs = Math.min(sleepMsMax, Math.max(sleepMsMin, at - clusterNow()));
    this.#alarmAt = at;
    this.#alarm = platform.timers.after(delayMs, () => {
      this.#alarmAt = Infinity;
      this.#look();
    });
  }

  #rest(): void {
    this.#alarm?.cancel();
    this.#alarmAt = Infinity;
  }
}

function errorOf(outcome: TurnOutcome): LatticeError | undefined {
  switch (outcome.type) {
    case "ok":
      return undefined;
    case "failed":
      return outcome.error;
    case "degraded_offered":
      return new LatticeError("unavailable", "no majority of the owners is reachable");
  }
}

/** Its deadline is the function's; it is a root call, and protected by what it takes out. */
function requestOf(
  timer: EntityTimer,
  address: EntityAddress,
  arrivedAt: number,
  settle: (outcome: TurnOutcome) => void,
): TurnRequest {
  // A trace of its own: the turn that set it may be long over, and a period has no end.
  const { operation, input } = timer;
  return ownTurn({ address, operation, input, timer, arrivedAt, deadlineAt: Infinity, settle });
}
