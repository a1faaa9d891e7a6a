/** What it changes about a turn that it runs in a session, or as a linearizable read. */
import type { SeenMark } from "./ports.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices } from "./turn-services.ts";

const nothingSeen: readonly SeenMark[] = Object.freeze([]);

/**
 * Whether an answer without a commit must show that this node still led when the call came. Of a call
 * inside a session's call nobody told what the session has seen of that partition.
 */
export function mustBeFresh({ request, operation }: Turn): boolean {
  if (request.readFrom === "linearizable" && operation.isQuery) return true;
  return request.inSession && request.chain.length > 0;
}

/** Before a query runs whose answer is compared with others': notes on what it runs. */
export function noteStanding(turn: Turn, { store }: TurnServices): void {
  const { request, operation } = turn;
  if (operation.isQuery && request.readFrom === 1)
    turn.standing = store.standingOf(request.address);
}

/**
 * What the answer shows, for the session that the call is made in. One that is compared with others' says
 * first what it showed from the start on, and whom its copy holds for owners.
 */
export function seenBy(turn: Turn, services: TurnServices): readonly SeenMark[] {
  const { standing } = turn;
  if (standing === undefined) return seenInSession(turn, services);
  const { partition } = turn.request.address;
  return [
    { partition, mark: standing.shown },
    { partition, mark: standing.ownersSetAt },
    ...seenInSession(turn, services),
  ];
}

function seenInSession(turn: Turn, { store }: TurnServices): readonly SeenMark[] {
  const { address, inSession } = turn.request;
  if (!inSession) return nothingSeen;
  const mark = store.markOf(address);
  if (mark === undefined) return turn.seenByAsks;
  return [{ partition: address.partition, mark }, ...turn.seenByAsks];
}
