/** `ctx.schedule`, `ctx.cancelTimer` and `ctx.timers`: the timers of the entity that a turn runs on. */
import { operationNotFound } from "../definition/handle.ts";
import { checkTimerId, dueOf } from "../definition/timers.ts";
import type { ScheduleOptions, TimerView } from "../definition/timers.ts";
import { LatticeError } from "../model/error.ts";
import { hybridTimeToMs } from "../model/time.ts";
import { checkOptionalValue } from "../model/value-check.ts";
import type { TimerSetting } from "../state/timers.ts";
import { timerInputBytesMax } from "../state/timers.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices, ValueCodec } from "./turn-services.ts";

export interface ScheduleRequest {
  /** Unchecked, like what follows. */
  readonly handler: unknown;
  readonly when: ScheduleOptions;
  readonly input: unknown;
}

/**
 * Sets a timer as part of the turn, and returns its id.
 * @throws LatticeError `not_found`, `invalid_argument`, `too_large` or `overloaded`
 */
export function schedule(turn: Turn, services: TurnServices, request: ScheduleRequest): string {
  const { handler, when } = request;
  checkHandler(turn, handler);
  const { store, platform, values } = services;
  const due = dueOf(when, hybridTimeToMs(store.hybridTime(platform.clock.now())));
  const { id = platform.ids.unique() } = when;
  checkTimerId(id);
  const value = checkOptionalValue(request.input, "input");
  // A copy: as it is encoded it is a view into a larger chunk, and it may be kept for years.
  const input = value === undefined ? noBytes : values.encode(value).slice();
  if (input.length > timerInputBytesMax) {
    const most = `${String(timerInputBytesMax)} bytes`;
    throw new LatticeError("too_large", `${turn.label}: the input of a timer is above ${most}`);
  }
  try {
    turn.draft!.timers.set({ id, operation: handler, input, ...due });
  } catch (error) {
    turn.passOn(error);
    throw error;
  }
  return id;
}

/** As users see them, the next one first. */
export function timersOf(turn: Turn, values: ValueCodec): readonly TimerView[] {
  return turn.draft!.timers.list().map((timer) => viewOf(timer, values));
}

function viewOf({ id, operation, at, every, input }: TimerSetting, values: ValueCodec): TimerView {
  const value = input.length === 0 ? undefined : values.decode(input);
  const view = { id, handler: operation, at, input: value };
  return every === undefined ? view : { ...view, every };
}

function checkHandler(turn: Turn, handler: unknown): asserts handler is string {
  const { name, handlers, operations } = turn.operation.function;
  if (typeof handler !== "string") {
    throw new LatticeError("invalid_argument", "ctx.schedule takes the name of a handler");
  }
  if (operations.get(handler)?.isQuery === false) return;
  throw operationNotFound(name, handler, { handlers, queries: [] });
}

const noBytes = new Uint8Array(0);
