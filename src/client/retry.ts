/** A call that waits for its next attempt, as an entry of a deadline wheel. */
import { notInWheel, type WheelEntry } from "../platform/deadline-wheel.ts";
import type { PendingCall } from "./pending-call.ts";

export class Retry implements WheelEntry {
  readonly #again: (call: PendingCall) => void;
  readonly #call: PendingCall;
  wheelTick = notInWheel;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  /** @param again called when the wait is over, also when the call has ended meanwhile */
  constructor(again: (call: PendingCall) => void, call: PendingCall) {
    this.#again = again;
    this.#call = call;
  }

  /** Called by the wheel. */
  expire(): void {
    this.#again(this.#call);
  }
}
