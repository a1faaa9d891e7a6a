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

/** What the answer shows, for the session that the call is made in. */
export function seenBy(turn: Turn, { store }: TurnServices): readonly SeenMark[] {
  const { address, inSession } = turn.request;
  if (!inSession) return nothingSeen;
  const mark = store.markOf(address);
  if (mark === undefined) return turn.seenByAsks;
  return [{ partition: address.partition, mark }, ...turn.seenByAsks];
}
