/**
 * Charges turns for what they use. Turns run one after the other, so what one of them had of the
 * processor is the time from its begin to its end, and one reading of the clock is both the end of a
 * turn and the begin of the next.
 *
 * A reading makes the processor wait for all that it has fetched from memory so far, which takes it
 * longer than some turns. So those that came in one frame are timed together, a few at a time, and
 * share their time equally, as far as their operations have been quick lately. One that turns out
 * not to be has shared its time that once, and is timed by itself until it has been quick again for
 * long. No time is lost either way.
 */
import type { Clock } from "../platform/platform.ts";
import type { EntityAddress } from "./entity-address.ts";
import { Metering } from "./metering.ts";
import type { RegisteredOperation } from "./registry.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices } from "./turn-services.ts";

/** Turns that are timed together, at most. */
const groupMax = 8;
/** What takes less, in milliseconds, is quick. */
const quickMs = 0.02;
/** So many quick runs in a row and more: it need not be timed by itself. */
const quickRunsMin = 64;
/** To hand on a result of more bytes takes so long that others must not be charged with it. */
export const largeResultBytes = 16 * 1024;

export class TurnMeter {
  readonly metering: Metering;
  readonly #clock: Clock;
  /** When the turn that runs, or the first of its group, got the processor. */
  #beganAt = 0;
  /** When the last turn gave it back. */
  #freeAt = 0;
  /** Turns begin one after the other that came in one frame. */
  #isFrame = false;
  /** Turns that ended and whose time runs on; where they ran, and what. */
  #groupSize = 0;
  readonly #addresses: EntityAddress[] = [];
  readonly #operations: RegisteredOperation[] = [];

  constructor({ platform }: Pick<TurnServices, "platform">) {
    this.metering = new Metering(platform.clock.wallNow());
    this.#clock = platform.clock;
  }

  /** A turn begins, or goes on. @param now read before, perhaps for several turns that came together */
  begin(turn: Turn, now: number): void {
    turn.isTimed = true;
    if (!isQuick(turn)) this.endGroup();
    if (this.#groupSize === 0) this.#beganAt = now > this.#freeAt ? now : this.#freeAt;
  }

  /** It waits for something, after it had begun. */
  pause(turn: Turn, now: number): void {
    if (!turn.isTimed) return;
    turn.isTimed = false;
    if (turn.hasRun) this.#join(turn);
    this.#charge(now);
  }

  /** It has come to its result, which is handed on next. Internal ones are not told. */
  succeeded(turn: Turn, resultBytes: number): void {
    const { address, input } = turn.request;
    this.metering.ended(address, input.length, resultBytes);
    if (!turn.isTimed) return;
    if (resultBytes <= largeResultBytes && this.#mayJoin(turn)) {
      turn.isTimed = false;
      this.#join(turn);
    } else this.pause(turn, this.#clock.now());
  }

  failed(turn: Turn): void {
    const { address, input } = turn.request;
    this.metering.ended(address, input.length, 0);
    this.metering.failed(address);
    this.pause(turn, this.#clock.now());
  }

  /** Something has had the processor since the last turn that nobody is charged for. */
  skip(): void {
    // Outside of frames the next turn begins with a reading of its own.
    if (this.#isFrame) this.#freeAt = this.#clock.now();
  }

  /** The calls that are submitted until `endFrame` came together. */
  beginFrame(): void {
    this.#isFrame = true;
  }

  /** Something else takes the processor between two turns of a frame. */
  endGroup(): void {
    if (this.#groupSize > 0) this.#charge(this.#clock.now());
  }

  endFrame(): void {
    this.#isFrame = false;
    this.endGroup();
  }

  /** Runs something more of a turn, perhaps while another one runs. */
  run<T>(turn: Turn, part: () => T): T {
    const beganAt = this.#clock.now();
    try {
      return part();
    } finally {
      const now = this.#clock.now();
      this.#freeAt = now;
      // Sums of fractions may be off in their last digits.
      this.#beganAt = Math.min(now, this.#beganAt + (now - beganAt));
      this.metering.spent(turn.request.address, now - beganAt);
    }
  }

  #mayJoin(turn: Turn): boolean {
    return this.#isFrame && this.#groupSize < groupMax - 1 && turn.hasRun && isQuick(turn);
  }

  #join({ request, operation }: Turn): void {
    this.#addresses[this.#groupSize] = request.address;
    this.#operations[this.#groupSize] = operation;
    this.#groupSize += 1;
  }

  #charge(now: number): void {
    const size = this.#groupSize;
    const ms = (now - this.#beganAt) / size;
    const isQuick = ms < quickMs;
    for (let index = 0; index < size; index += 1) {
      this.metering.spent(this.#addresses[index]!, ms);
      const operation = this.#operations[index]!;
      operation.quickRuns = isQuick ? operation.quickRuns + 1 : 0;
    }
    this.#groupSize = 0;
    this.#freeAt = now;
  }
}

function isQuick({ operation }: Turn): boolean {
  return operation.quickRuns >= quickRunsMin;
}
