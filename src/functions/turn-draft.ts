/**
 * The draft that a turn runs on. A turn that a timer started takes the timer out of it before its
 * handler runs, or sets it to its next period: it is gone by the very commit that holds what the
 * handler did. So a crash before that commit fires it again and one after it does not, and nothing
 * has to be remembered of those that have fired.
 */
import { operationNotFound } from "../definition/handle.ts";
import { hybridTimeToMs } from "../model/time.ts";
import type { HybridTime } from "../model/time.ts";
import { Draft } from "../state/draft.ts";
import type { EntityTimer } from "../state/timers.ts";
import type { OpenEntity } from "./entity-address.ts";
import type { Turn } from "./turn.ts";
import { timerNotDue } from "./turn-failures.ts";

/**
 * @param hybridTime a new stamp
 * @throws LatticeError `aborted` when the turn's timer is not there, or not due; `not_found` when what
 * it is to run is no handler any more
 */
export function draftOf(turn: Turn, open: OpenEntity, hybridTime: HybridTime): Draft {
  const { entity, writer, usedUp } = open;
  // Later than what it overwrites, even where another clock ran ahead of this one.
  const stamp = Math.max(hybridTime, entity.hybridTime + 1);
  const { shape } = turn.operation.function;
  const draft = new Draft({ entity, shape, writer, usedUp, hybridTime: stamp });
  const { timer } = turn.request;
  if (timer !== undefined) takeTimer(turn, draft, timer, hybridTimeToMs(hybridTime));
  return draft;
}

function takeTimer(turn: Turn, draft: Draft, timer: EntityTimer, now: number): void {
  const { function: registered, name, isQuery } = turn.operation;
  if (isQuery) {
    const { handlers } = registered;
    throw operationNotFound(registered.name, name, { handlers, queries: [] });
  }
  if (timer.at > now || !draft.timers.take(timer, now)) throw timerNotDue(turn);
}
