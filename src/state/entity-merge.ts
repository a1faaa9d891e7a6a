/** Joins two copies of an entity, and applies what had to wait for commits that are now here. */
import { DedupeTable } from "./dedupe.ts";
import { DocumentSection } from "./document-section.ts";
import type { EntityParts } from "./entity-parts.ts";
import { performCommit, settleDeferred } from "./operation-effects.ts";
import { Outbox } from "./outbox.ts";
import { Postponed } from "./postponed.ts";

/** Afterwards `mine` holds the commits of both. */
export function mergeParts(mine: EntityParts, theirs: EntityParts): void {
  mergeContents(mine, theirs);
  mergeEnvelopes(mine, theirs);
  mine.raiseTime(theirs.hybridTime);
  mine.context.join(theirs.context);
  if (theirs.postponed !== undefined) {
    mine.postponed ??= new Postponed();
    mine.postponed.merge(theirs.postponed, theirs.mark >= mine.mark);
  }
  if (mine.postponed !== undefined) settle(mine, mine.postponed);
}

/** Applies what of the postponed can now be applied. */
export function settle(parts: EntityParts, postponed: Postponed): void {
  settleDeferred(parts, postponed);
  postponed.dropCovered(parts.context);
  for (;;) {
    const next = postponed.takeNext(parts.context);
    if (next === undefined) break;
    performCommit(parts, next);
    settleDeferred(parts, postponed);
  }
  if (postponed.isEmpty) parts.postponed = undefined;
}

function mergeContents(mine: EntityParts, theirs: EntityParts): void {
  if (theirs.mark > mine.mark) {
    mine.mark = theirs.mark;
    mine.contents = theirs.contents.clone();
    mine.documentsIfAny = theirs.documentsIfAny?.clone();
    mine.postponed?.dropRemovals();
  } else if (theirs.mark === mine.mark) {
    mine.contents.merge(mine.context, theirs.contents, theirs.context);
    if (theirs.documentsIfAny !== undefined) {
      mine.documentsIfAny ??= new DocumentSection(mine.name);
      mine.documentsIfAny.merge(theirs.documentsIfAny);
    }
  }
}

/** Joins what outlives generations. */
function mergeEnvelopes(mine: EntityParts, theirs: EntityParts): void {
  if (mine.dedupeIfAny !== undefined || theirs.dedupeIfAny !== undefined) {
    mine.dedupeIfAny ??= new DedupeTable();
    const other = theirs.dedupeIfAny ?? new DedupeTable();
    mine.dedupeIfAny.merge(mine.context, other, theirs.context);
  }
  if (mine.outboxIfAny !== undefined || theirs.outboxIfAny !== undefined) {
    mine.outboxIfAny ??= new Outbox();
    mine.outboxIfAny.merge(mine.context, theirs.outboxIfAny ?? new Outbox(), theirs.context);
  }
}
