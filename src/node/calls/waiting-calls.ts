/**
 * Calls for a partition that nobody serves at this moment: its primary hands over, or died just now
 * and its successor is being found. That takes milliseconds as a rule, and a call does better to
 * wait here, at an owner, than to fail, back off and come again.
 *
 * They are looked at again, in order of arrival, when something about their partition changed.
 */
import { LatticeError } from "../../model/error.ts";
import type { PartitionId } from "../../model/ids.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { Clock, Timer, Timers } from "../../platform/platform.ts";
import type { CallMessage } from "../../wire/messages.ts";
import type { CallUnderWay, Origin } from "./served-call.ts";

/** So long a call waits; then it fails with `unavailable`. */
export const patienceMs = 1_000;
/** Calls waiting on one node; further ones fail at once. */
export const waitingCallsMax = 4_096;
/** How often waits that are over are looked for. */
const sweepMs = 50;

export interface WaitingCallsOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Serves the call, or returns `waiting` when there still is nobody. */
  serve(waiting: WaitingCall): CallUnderWay | undefined;
  /** It has waited for too long, or its sender cancelled it. */
  failed(waiting: WaitingCall, error: LatticeError | undefined): void;
}

/** A call that waits; later, a handle on what became of it. */
export class WaitingCall implements CallUnderWay {
  readonly call: CallMessage;
  readonly origin: Origin;
  readonly address: EntityAddress;
  readonly arrivedAt: number;
  readonly #owner: WaitingCalls;
  isWaiting = true;
  next: CallUnderWay | undefined;

  constructor(
    owner: WaitingCalls,
    call: CallMessage,
    origin: Origin,
    at: { readonly address: EntityAddress; readonly now: number },
  ) {
    this.#owner = owner;
    this.call = call;
    this.origin = origin;
    this.address = at.address;
    this.arrivedAt = at.now;
  }

  cancel(): void {
    if (this.isWaiting) this.#owner.cancel(this);
    else this.next?.cancel();
  }

  /** The call with the time that it has left. */
  remaining(now: number): CallMessage {
    const timeoutMs = Math.max(1, Math.ceil(this.call.timeoutMs - (now - this.arrivedAt)));
    return { ...this.call, timeoutMs };
  }

  get untilAt(): number {
    return this.arrivedAt + Math.min(patienceMs, this.call.timeoutMs);
  }
}

export class WaitingCalls {
  readonly #options: WaitingCallsOptions;
  readonly #byPartition = new Map<PartitionId, WaitingCall[]>();
  readonly #changed = new Set<PartitionId>();
  #count = 0;
  #sweep: Timer | undefined;
  #lookDue = false;
  #isClosed = false;

  constructor(options: WaitingCallsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  isAwaited(partition: PartitionId): boolean {
    return this.#byPartition.has(partition);
  }

  /** Lets a call wait; `undefined` when too many do. */
  hold(call: CallMessage, origin: Origin, address: EntityAddress): WaitingCall | undefined {
    if (this.#count >= waitingCallsMax || this.#isClosed) return undefined;
    const now = this.#options.clock.now();
    const waiting = new WaitingCall(this, call, origin, { address, now });
    const { partition } = address;
    const others = this.#byPartition.get(partition);
    if (others === undefined) this.#byPartition.set(partition, [waiting]);
    else others.push(waiting);
    this.#count += 1;
    this.#armSweep();
    return waiting;
  }

  /** Something about this partition is different now; its calls are served at the end of this turn. */
  changed(partition: PartitionId): void {
    if (!this.#byPartition.has(partition)) return;
    this.#changed.add(partition);
    if (this.#lookDue) return;
    this.#lookDue = true;
    this.#options.timers.defer(() => {
      this.#lookDue = false;
      const changed = [...this.#changed];
      this.#changed.clear();
      for (const each of changed) this.#look(each);
    });
  }

  /** A link came up: any of them may go there. */
  changedAll(): void {
    for (const partition of this.#byPartition.keys()) this.changed(partition);
  }

  cancel(waiting: WaitingCall): void {
    this.#end(waiting);
    this.#options.failed(waiting, new LatticeError("cancelled", "cancelled before it was served"));
  }

  close(): void {
    this.#isClosed = true;
    this.#sweep?.cancel();
    this.#byPartition.clear();
    this.#count = 0;
  }

  #look(partition: PartitionId): void {
    if (this.#isClosed) return;
    const calls = this.#byPartition.get(partition) ?? [];
    this.#byPartition.delete(partition);
    const still: WaitingCall[] = [];
    for (const waiting of calls) {
      if (!waiting.isWaiting) continue;
      const next = this.#options.serve(waiting);
      if (next === waiting) {
        still.push(waiting);
      } else {
        this.#end(waiting);
        waiting.next = next;
      }
    }
    const newer = this.#byPartition.get(partition) ?? [];
    if (still.length + newer.length > 0) this.#byPartition.set(partition, [...still, ...newer]);
  }

  #armSweep(): void {
    this.#sweep ??= this.#options.timers.after(sweepMs, () => {
      this.#sweep = undefined;
      this.#sweepOld();
      if (this.#byPartition.size > 0 && !this.#isClosed) this.#armSweep();
    });
  }

  #sweepOld(): void {
    const now = this.#options.clock.now();
    for (const [partition, calls] of this.#byPartition) {
      const rest = calls.filter((waiting) => waiting.isWaiting && waiting.untilAt > now);
      if (rest.length === calls.length) continue;
      if (rest.length === 0) this.#byPartition.delete(partition);
      else this.#byPartition.set(partition, rest);
      for (const waiting of calls) {
        if (!waiting.isWaiting || waiting.untilAt > now) continue;
        this.#end(waiting);
        this.#options.failed(waiting, undefined);
      }
    }
  }

  #end(waiting: WaitingCall): void {
    if (!waiting.isWaiting) return;
    waiting.isWaiting = false;
    this.#count -= 1;
  }
}
