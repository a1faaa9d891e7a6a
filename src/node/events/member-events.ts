/** What it means to an operator that the record of a member has changed. */
import { isLive, type Member } from "../../membership/member.ts";
import type { Happening } from "./announcer.ts";

/** In the order in which they are to be told; most changes are one event, some are none. */
export function memberEvents(member: Member, previous: Member | undefined): readonly Happening[] {
  // An earlier life is no news of this one.
  const before = previous?.boot === member.boot ? previous : undefined;
  const events: Happening[] = [];
  const change = isLive(member) ? livingEvent(member, before) : endedEvent(member, previous);
  if (change !== undefined) events.push(change);
  if (isLive(member) && member.leaving && before?.leaving !== true) {
    events.push({ type: "member.leaving", node: member.id });
  }
  const rest = isLive(member) ? restEvent(member, before) : undefined;
  if (rest !== undefined) events.push(rest);
  return events;
}

function restEvent(
  { id: node, restarts, resting }: Member,
  before: Member | undefined,
): Happening | undefined {
  if (resting === (before?.resting ?? false)) return undefined;
  return resting ? { type: "member.resting", node, restarts } : { type: "member.rested", node };
}

function livingEvent(
  { id: node, boot, address, status }: Member,
  before: Member | undefined,
): Happening | undefined {
  if (status === before?.status) return undefined;
  if (status === "suspect") return { type: "member.suspected", node };
  if (before?.status === "suspect" || before?.status === "dead") {
    return { type: "member.refuted", node, was: before.status };
  }
  return { type: "member.joined", node, boot, address };
}

function endedEvent(
  { id: node, boot, status }: Member,
  previous: Member | undefined,
): Happening | undefined {
  if (status === previous?.status) return undefined;
  if (status === "dead") return { type: "member.dead", node };
  if (status === "gone") return { type: "member.forgotten", node, boot };
  // A newcomer is told of everybody who left within a day: that is history.
  return previous === undefined ? undefined : { type: "member.left", node };
}
