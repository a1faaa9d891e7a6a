/** On which state a turn runs, and why it may not run on it. */
import type { OpenEntity } from "./entity-address.ts";
import type { TurnOutcome } from "./ports.ts";
import * as failures from "./turn-failures.ts";
import { failed } from "./turn-failures.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices } from "./turn-services.ts";

/** The state that is led here; for a query that may run anywhere also a copy. */
export function openFor(turn: Turn, { store }: TurnServices): OpenEntity | undefined {
  const { address, readFrom, seen } = turn.request;
  const isAnywhere = readFrom === "any" || readFrom === 1;
  if (!isAnywhere || !turn.operation.isQuery) return store.open(address);
  return store.openCopy(address, seen) ?? store.open(address);
}

/** Why it must not run on what was opened; nothing has happened then. */
export function refusalTo(
  turn: Turn,
  open: OpenEntity,
  services: TurnServices,
): TurnOutcome | undefined {
  const { request, operation } = turn;
  if (open.degraded) return degradedRefusal(turn);
  if (open.heldBy !== undefined) return undefined;
  const { seen, address } = request;
  if (seen !== undefined && !services.store.hasSeen(address, seen)) {
    return failed(failures.behindSession(turn));
  }
  const { settings } = operation.function;
  if (!(request.strictAcks || settings.strictAcks) || operation.isQuery) return undefined;
  return copiesRefusal(turn, open, services);
}

function degradedRefusal(turn: Turn): TurnOutcome | undefined {
  const { request, operation } = turn;
  if (turn.isOwn || request.readFrom === 1) return failed(failures.notServed(turn));
  if (request.inSession) return failed(failures.degradedInSession(turn));
  const isLinearizable = operation.isQuery && request.readFrom === "linearizable";
  if (isLinearizable) return failed(failures.unconfirmable(turn));
  if ((request.whenSplit ?? operation.function.settings.whenSplit) === "refuse") {
    return failed(failures.splitRefused(turn));
  }
  return turn.isProtected && !request.degradedAllowed ? failures.degradedOffered : undefined;
}

function copiesRefusal(
  turn: Turn,
  { copiesMax }: OpenEntity,
  { settings }: TurnServices,
): TurnOutcome | undefined {
  const wanted = turn.acks === "all" ? settings.replicas : turn.acks;
  return copiesMax >= wanted ? undefined : failed(failures.tooFewCopies(turn, copiesMax, wanted));
}
