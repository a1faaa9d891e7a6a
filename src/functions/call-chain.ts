/**
 * The chain of a call: the turns around it, outermost first, by the names of their entities. A function
 * without state holds none, so nobody waits for it: its link is marked, and counts for the depth of the chain
 * and for nothing else.
 */
import type { EntityName } from "../model/ids.ts";

/** Begins a link of a function without state; no function's name can. */
const holdsNothing = "~";

/** A turn that asks. */
export interface AskingTurn {
  readonly name: EntityName;
  readonly isStateless: boolean;
  readonly request: { readonly chain: readonly string[] };
}

/** The chain of what it asks. */
export function chainFrom({ name, isStateless, request }: AskingTurn): readonly string[] {
  return [...request.chain, isStateless ? `${holdsNothing}${name}` : name];
}

/** Whether the turn of this link holds its entity until it is answered. */
export function isHeld(link: string): boolean {
  return !link.startsWith(holdsNothing);
}

/** Whose link it is. */
export function entityOf(link: string): EntityName {
  return isHeld(link) ? link : link.slice(holdsNothing.length);
}
