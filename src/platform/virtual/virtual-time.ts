/**
 * Virtual time: a clock that jumps from event to event, shared by all nodes of a simulated cluster.
 * Everything that can happen is an event in one heap; chance comes from one seed; so a run is
 * repeated exactly by its seed, and a minute passes in milliseconds.
 *
 *   take next event → run it → run what it deferred → let all promises settle → take next event …
 *
 * Time moves only while somebody waits for it (`run`, `settled`): between two awaits of a test the
 * cluster stands still, which makes tests that read like real ones repeatable. `advance` is the
 * synchronous form for code without promises.
 */
import { LatticeError } from "../../model/error.ts";
import type { Random } from "../../model/random.ts";
import { afterMicrotasks } from "../node/after-microtasks.ts";
import type { Clock, Logger, Timer, Timers } from "../platform.ts";
import { seededRandom } from "../seeded-random.ts";
import { silentLogger } from "../silent-logger.ts";
import { VirtualEvent, VirtualEventHeap } from "./virtual-event.ts";
import { VirtualNode } from "./virtual-node.ts";

/**
 * Times are multiples of 1/1024 ms, so that sums and differences of them are exact: a timer for
 * `dueAt − now()` finds the clock at `dueAt`, not a rounding error before it.
 */
const ticksPerMs = 1024;
/** Events after which the real event loop gets a turn, so that signals and rejections are seen. */
const eventsPerTurn = 1024;
/** Turns of the real event loop granted to a promise that waits for something outside. */
const idleTurnsMax = 64;
/** Monotonic clocks of nodes start this far apart at most: none may be compared with another's. */
const originMsMax = 1_000_000;
/** Callbacks at one instant above which a run is taken to hang. */
const stepsPerInstantMax = 1_000_000;
const settledLimitMs = 600_000;
const noLimit = Number.POSITIVE_INFINITY;

export interface VirtualTimeOptions {
  /** The number that makes the run repeatable. */
  readonly seed: number;
  /** What wall clocks show at virtual time 0. @default 2026-01-01T00:00:00Z */
  readonly startWallMs?: number;
}

export interface RunOptions {
  /** Virtual time at which to stop. @default never */
  readonly untilAt?: number;
  /** Asked after every event; stops when true. */
  readonly condition?: () => boolean;
}

/** Why a run ended: `idle` means that no event is left. */
export type RunOutcome = "condition" | "time" | "idle";

interface Goal {
  readonly untilAt: number;
  readonly condition: (() => boolean) | undefined;
  readonly resolve: (outcome: RunOutcome) => void;
  readonly reject: (error: unknown) => void;
}

export class VirtualTime {
  /** Chance for the harness itself (faults, workloads). Nodes have their own. */
  readonly random: Random;
  readonly seed: number;
  /** Time and timers of the harness: never paused, slow or stopped. */
  readonly clock: Clock;
  readonly timers: Timers;

  readonly #startWallMs: number;
  readonly #heap = new VirtualEventHeap();
  readonly #goals = new Set<Goal>();
  #now = 0;
  #sequence = 0;
  #eventCount = 0;
  #nodeCount = 0;
  #idleTurns = 0;
  #instantCount = 0;
  #isRunning = false;
  /** Promises for which time stands still. */
  #stillCount = 0;
  #deferred: {
    readonly node: VirtualNode | undefined;
    readonly run: () => void;
  }[] = [];

  constructor(options: VirtualTimeOptions) {
    this.seed = options.seed;
    this.random = seededRandom(options.seed, "harness");
    this.#startWallMs = options.startWallMs ?? Date.UTC(2026, 0, 1);
    this.clock = {
      now: () => this.#now,
      wallNow: () => Math.floor(this.wallNow),
    };
    this.timers = {
      after: (delayMs, run) => this.#push(undefined, delayMs, run, false),
      defer: (run) => {
        this.#deferred.push({ node: undefined, run });
      },
      afterPoll: (run) => {
        this.#push(undefined, 0, run, true);
      },
    };
  }

  /** Virtual milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  get wallNow(): number {
    return this.#startWallMs + this.#now;
  }

  /** Events that ran so far. */
  get eventCount(): number {
    return this.#eventCount;
  }

  /** Events that wait, cancelled ones that were not swept yet included. */
  get pendingCount(): number {
    return this.#heap.length;
  }

  /**
   * A new process with a platform of its own. Names may repeat (a restarted node): its chance
   * depends on the seed, the name and how many nodes came before.
   */
  node(name: string, logger: Logger = silentLogger): VirtualNode {
    const label = `${name}#${String(this.#nodeCount++)}`;
    const random = seededRandom(this.seed, label);
    const traceRandom = seededRandom(this.seed, `${label} traces`);
    const originMs = Math.floor(random() * originMsMax);
    return new VirtualNode(name, this.#schedule, { random, traceRandom, logger, originMs });
  }

  /**
   * Runs events, letting promises settle after each, until a condition holds, a time is reached or
   * nothing is left to do (`idle`, also when a condition has a time limit: no event, no change).
   * Rejects with whatever an event throws. Several may run at once.
   */
  run(options: RunOptions = {}): Promise<RunOutcome> {
    return new Promise((resolve, reject) => {
      const { untilAt = noLimit, condition } = options;
      this.#goals.add({ untilAt, condition, resolve, reject });
      if (this.#isRunning) return;
      this.#isRunning = true;
      // From a fresh macrotask, where `afterMicrotasks` is exact.
      setImmediate(this.#nextStep);
    });
  }

  /** Runs for `ms` of virtual time. */
  async sleep(ms: number): Promise<void> {
    await this.run({ untilAt: this.#now + ms });
  }

  /**
   * Runs until `promise` has settled and returns its result.
   * @throws `failed_precondition` when nothing can happen any more, or `limitMs` (default ten
   *   minutes) of virtual time passed: then it waits for something outside the simulation.
   */
  async settled<T>(promise: Promise<T>, limitMs: number = settledLimitMs): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    const untilAt = this.#now + limitMs;
    const outcome = await this.run({ untilAt, condition: () => isSettled });
    if (outcome === "condition") return promise;
    throw new LatticeError(
      "failed_precondition",
      outcome === "idle"
        ? `seed ${String(this.seed)}: a promise waits for something outside the simulation ` +
            "(no event is left): take time and chance from ctx or the platform"
        : `seed ${String(this.seed)}: a promise has not settled in ${String(limitMs)} virtual ms`,
    );
  }

  /**
   * No event runs until `promise` is settled: what has to be got from outside the simulation then takes
   * no time, however long it takes. Resolves with its result.
   */
  async standStill<T>(promise: Promise<T>): Promise<T> {
    this.#stillCount += 1;
    try {
      return await promise;
    } finally {
      this.#stillCount -= 1;
    }
  }

  /**
   * Runs all events up to `untilAt` in one synchronous go. Promises do not move meanwhile.
   * @throws whatever an event throws
   */
  advance(untilAt: number): void {
    this.#runDeferred();
    for (let next = this.#heap.peek(); next !== undefined; next = this.#heap.peek()) {
      if (next.at > untilAt) break;
      this.#runNext();
      this.#runDeferred();
    }
    this.#now = Math.max(this.#now, ceilTicks(untilAt));
  }

  readonly #schedule = {
    time: this,
    get now(): number {
      return this.time.#now;
    },
    get wallNow(): number {
      return this.time.wallNow;
    },
    schedule(node: VirtualNode, delayMs: number, run: () => void, isInput: boolean): Timer {
      return this.time.#push(node, delayMs, run, isInput);
    },
    scheduleWake(delayMs: number, run: () => void): void {
      this.time.#push(undefined, delayMs, run, false);
    },
    defer(node: VirtualNode, run: () => void): void {
      this.time.#deferred.push({ node, run });
    },
  };

  #push(
    node: VirtualNode | undefined,
    delayMs: number,
    run: () => void,
    isInput: boolean,
  ): VirtualEvent {
    const at = ceilTicks(this.#now + Math.max(0, delayMs));
    const order = { at, sequence: this.#sequence++ };
    const event = new VirtualEvent(this.#heap, order, { node, isInput }, run);
    this.#heap.push(event);
    return event;
  }

  /** One step of a run; a microtask of its own, with no other one waiting. */
  readonly #step = (): void => {
    if (this.#stillCount > 0) {
      setImmediate(this.#nextStep);
      return;
    }
    try {
      if (this.#deferred.length > 0) this.#runDeferred();
      else this.#stepEvents();
    } catch (error) {
      this.#isRunning = false;
      for (const goal of this.#goals) goal.reject(error);
      this.#goals.clear();
    }
    if (!this.#isRunning) return;
    if (this.#eventCount % eventsPerTurn === 0) setImmediate(this.#nextStep);
    else afterMicrotasks(this.#step);
  };

  readonly #nextStep = (): void => {
    afterMicrotasks(this.#step);
  };

  #stepEvents(): void {
    if (this.#finish(holds, "condition")) return;
    if (this.#goals.size === 0) {
      this.#isRunning = false;
      return;
    }
    const next = this.#heap.peek();
    const limitAt = this.#limitAt(next === undefined);
    if (next !== undefined && next.at <= limitAt) {
      this.#idleTurns = 0;
      this.#runNext();
      this.#runDeferred();
    } else if (limitAt < noLimit) {
      this.#now = Math.max(this.#now, ceilTicks(limitAt));
      this.#finish((goal) => goal.untilAt <= limitAt, "time");
    } else {
      this.#idle();
    }
  }

  /** When no event is left, only those who wait for nothing but a time can still be served by one. */
  #limitAt(isEmpty: boolean): number {
    let limitAt = noLimit;
    for (const goal of this.#goals) {
      if (!isEmpty || goal.condition === undefined) limitAt = Math.min(limitAt, goal.untilAt);
    }
    return limitAt;
  }

  /** Nothing left to do. A condition may still come true by something real: it gets a few turns. */
  #idle(): void {
    let isHoping = false;
    for (const goal of this.#goals) isHoping ||= goal.condition !== undefined;
    if (!isHoping || this.#idleTurns >= idleTurnsMax) {
      this.#idleTurns = 0;
      this.#finish(() => true, "idle");
      return;
    }
    this.#idleTurns += 1;
    this.#isRunning = false;
    setImmediate(() => {
      if (this.#isRunning) return;
      this.#isRunning = true;
      this.#nextStep();
    });
  }

  #finish(isDone: (goal: Goal) => boolean, outcome: RunOutcome): boolean {
    let isAny = false;
    for (const goal of this.#goals) {
      if (!isDone(goal)) continue;
      this.#goals.delete(goal);
      goal.resolve(outcome);
      isAny = true;
    }
    return isAny;
  }

  #runNext(): void {
    const event = this.#heap.pop();
    if (event === undefined) return;
    if (event.at > this.#now) {
      this.#now = event.at;
      this.#instantCount = 0;
    }
    this.#countStep();
    this.#eventCount += 1;
    if (event.node !== undefined) {
      event.node.dispatch(event);
      return;
    }
    const { run } = event;
    event.run = undefined;
    run?.();
  }

  /** Callbacks that go on for ever without time moving would hang the run silently. */
  #countStep(): void {
    if (++this.#instantCount <= stepsPerInstantMax) return;
    throw new LatticeError(
      "internal",
      `seed ${String(this.seed)}: time stands still at ${String(this.#now)} ms after ` +
        `${String(stepsPerInstantMax)} callbacks: something re-arms itself without a delay`,
    );
  }

  /** What callbacks deferred runs at the same instant, in order, before promises move. */
  #runDeferred(): void {
    const queue = this.#deferred;
    if (queue.length === 0) return;
    try {
      for (let i = 0; i < queue.length; i++) {
        const entry = queue[i];
        this.#countStep();
        if (entry !== undefined && entry.node?.state !== "stopped") entry.run();
      }
    } finally {
      queue.length = 0;
    }
  }
}

function holds(goal: Goal): boolean {
  return goal.condition?.() === true;
}

function ceilTicks(ms: number): number {
  return Math.ceil(ms * ticksPerMs) / ticksPerMs;
}
