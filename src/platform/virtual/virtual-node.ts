/**
 * One node's view of virtual time: a `NodePlatform` with a clock, timers, chance and ids of its own, and
 * the faults that a process can have in time: it stops for a while, is slow, its wall clock jumps,
 * or it dies.
 *
 * While a node is stopped (SIGSTOP, a long garbage collection) its events are held back. When it
 * goes on, timers that are overdue fire before input is read, as in Node: that order is what
 * declares healthy neighbours dead in a naive failure detector, so the simulator must have it.
 *
 * A slow node is one that needs time for every callback; whatever arrives meanwhile waits its turn.
 */
import type { Random } from "../../model/random.ts";
import type { Clock, Ids, Logger, LoopDelay, NodePlatform, Timer, Timers } from "../platform.ts";
import type { TraceIds } from "../platform.ts";
import { traceIdsFrom } from "../trace-ids.ts";
import { VirtualLoopDelay } from "./virtual-loop-delay.ts";
import type { VirtualEvent } from "./virtual-event.ts";

/** A node that is slow by factor f needs (f − 1) times this for every callback. */
export const slowCallbackMs = 0.125;

/** What a node needs of the time that it lives in. */
export interface NodeSchedule {
  readonly now: number;
  readonly wallNow: number;
  schedule(node: VirtualNode, delayMs: number, run: () => void, isInput: boolean): Timer;
  /** As `schedule`, but reaches a stopped or busy node too. */
  scheduleWake(delayMs: number, run: () => void): void;
  defer(node: VirtualNode, run: () => void): void;
}

export interface VirtualNodeOptions {
  readonly random: Random;
  /** Chance for ids of traces alone: whether a call is traced must not change what else happens. */
  readonly traceRandom: Random;
  readonly logger: Logger;
  /** What the monotonic clock shows at virtual time 0. */
  readonly originMs: number;
}

/** Nothing is scheduled for a dead node. */
const deadTimer: Timer = Object.freeze({
  cancel() {
    // There is nothing to cancel.
  },
});

const idAlphabet = "ModuleSymbhasOwnPr-0123456789ABCDEFGHNRVfgctiUvz_KqYTJkLxpZXIjQW";
const idLength = 21;

export class VirtualNode implements NodePlatform {
  readonly name: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /**
   * Timers whose callbacks count as arriving input: networks deliver through them. After a pause
   * they run behind all ordinary timers.
   */
  readonly input: Timers;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly loopDelay: LoopDelay;
  readonly traceIds: TraceIds;

  readonly #time: NodeSchedule;
  readonly #stalls: VirtualLoopDelay;
  #wallOffsetMs = 0;
  #state: "running" | "paused" | "stopped" = "running";
  #pausedAt = 0;
  #callbackMs = 0;
  #isWakeScheduled = false;
  #heldTimers: VirtualEvent[] = [];
  #heldInput: VirtualEvent[] = [];
  /** One pass of the event loop over what was held: timers first, then input. */
  #pass: VirtualEvent[] = [];
  #passIndex = 0;

  constructor(name: string, time: NodeSchedule, options: VirtualNodeOptions) {
    this.name = name;
    this.#time = time;
    this.random = options.random;
    this.logger = options.logger;
    this.#stalls = new VirtualLoopDelay(() => time.now);
    this.loopDelay = this.#stalls;
    this.traceIds = traceIdsFrom(options.traceRandom);
    this.clock = {
      now: () => time.now + options.originMs,
      wallNow: () => Math.floor(time.wallNow + this.#wallOffsetMs),
    };
    this.timers = this.#timers(false);
    this.input = this.#timers(true);
    this.ids = { unique: () => this.#uniqueId() };
  }

  get state(): "running" | "paused" | "stopped" {
    return this.#state;
  }

  /** SIGSTOP: nothing of this node runs until `resume`. */
  pause(): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    this.#pausedAt = this.#time.now;
  }

  /** SIGCONT: overdue timers, then waiting input, then what is new. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    this.#stalls.add(this.#time.now - this.#pausedAt);
    if (!this.#isWakeScheduled) this.#scheduleWake(0);
  }

  /** SIGKILL: its events vanish and it can schedule no more. For good: a new life is a new node. */
  stop(): void {
    this.#state = "stopped";
    this.#heldTimers = [];
    this.#heldInput = [];
    this.#pass = [];
  }

  /** From now on every callback takes (factor − 1) × `slowCallbackMs`. 1 is full speed. */
  slow(factor: number): void {
    this.#callbackMs = (Math.max(1, factor) - 1) * slowCallbackMs;
  }

  /** The wall clock steps by `byMs`, which may be negative; the monotonic clock does not notice. */
  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** @internal Called by virtual time when an event of this node is due. */
  dispatch(event: VirtualEvent): void {
    if (this.#state === "stopped") return;
    if (this.#state === "paused" || this.#isWakeScheduled) {
      (event.isInput ? this.#heldInput : this.#heldTimers).push(event);
      return;
    }
    this.#execute(event);
  }

  #execute(event: VirtualEvent): void {
    const { run } = event;
    if (run === undefined) return;
    event.run = undefined;
    this.#stalls.add(this.#time.now - event.at);
    if (this.#callbackMs > 0) this.#scheduleWake(this.#callbackMs);
    run();
  }

  #scheduleWake(delayMs: number): void {
    this.#isWakeScheduled = true;
    this.#time.scheduleWake(delayMs, () => {
      this.#wake();
    });
  }

  /** Runs one held event; the next has a wake of its own, so that promises move in between. */
  #wake(): void {
    this.#isWakeScheduled = false;
    if (this.#state !== "running") return;
    const event = this.#takeHeld();
    if (event !== undefined) this.#execute(event);
    this.#wakeForRest();
  }

  #wakeForRest(): void {
    if (this.#isWakeScheduled) return;
    const heldCount = this.#heldTimers.length + this.#heldInput.length;
    if (heldCount > 0 || this.#passIndex < this.#pass.length) this.#scheduleWake(0);
  }

  #takeHeld(): VirtualEvent | undefined {
    for (;;) {
      if (this.#passIndex === this.#pass.length) {
        this.#pass = this.#heldTimers.concat(this.#heldInput);
        this.#passIndex = 0;
        this.#heldTimers = [];
        this.#heldInput = [];
        if (this.#pass.length === 0) return undefined;
      }
      const event = this.#pass[this.#passIndex++];
      if (event?.run !== undefined) return event;
    }
  }

  #timers(isInput: boolean): Timers {
    return {
      after: (delayMs, run) => this.#schedule(delayMs, run, isInput),
      defer: (run) => {
        if (this.#state !== "stopped") this.#time.defer(this, run);
      },
      afterPoll: (run) => {
        this.#schedule(0, run, true);
      },
    };
  }

  #schedule(delayMs: number, run: () => void, isInput: boolean): Timer {
    if (this.#state === "stopped") return deadTimer;
    return this.#time.schedule(this, delayMs, run, isInput);
  }

  #uniqueId(): string {
    let id = "";
    for (let i = 0; i < idLength; i++) id += idAlphabet[Math.floor(this.random() * 64)] ?? "";
    return id;
  }
}
