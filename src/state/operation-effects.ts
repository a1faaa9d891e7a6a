/**
 * What each operation does to an entity. Contents change only when the commit is of the present
 * generation and that is alive; the envelope always does.
 *
 * An operation that removes what another writer wrote takes effect, writer by writer, once that
 * writer's commits are here as far as it had seen them; what is missing is deferred.
 */
import { unreachable } from "../model/assert.ts";
import type { StateCommit } from "./commit.ts";
import { Contents } from "./contents.ts";
import { DedupeTable } from "./dedupe.ts";
import { DocumentSection } from "./document-section.ts";
import type { EntityParts } from "./entity-parts.ts";
import type {
  AddOperation,
  Floor,
  Operation,
  RecordOperation,
  RemoveOperation,
  TextOperation,
  WriteOperation,
} from "./operation.ts";
import { Outbox, sendsPerCommitMax, sequenceOfSend } from "./outbox.ts";
import type { OutboxEntry } from "./outbox.ts";
import { Postponed } from "./postponed.ts";
import type { DeferrableOperation } from "./postponed.ts";
import { floorKey, seenPart } from "./seen.ts";
import type { Removal, Seen } from "./seen.ts";
import { requestOf } from "./send.ts";
import { valueBytes } from "./stored-value.ts";

/** Applies the next commit of its writer. */
export function performCommit(parts: EntityParts, commit: StateCommit): void {
  parts.context.advance(commit.writer, commit.sequence);
  parts.raiseTime(commit.hybridTime);
  if (commit.mark > parts.mark) {
    parts.mark = commit.mark;
    parts.contents = new Contents();
    parts.documentsIfAny = undefined;
    parts.postponed?.dropRemovals();
  }
  const isCurrent = commit.mark === parts.mark && commit.mark % 2 === 0;
  const { operations } = commit;
  for (let index = 0; index < operations.length; index += 1) {
    const operation = operations[index]!;
    if (!isContentOperation(operation)) performOnEnvelope(parts, commit, operation, index);
    else if (isCurrent) performOnContents(parts, commit, operation, index);
  }
}

/** Applies what can now be applied of the deferred operations. */
export function settleDeferred(parts: EntityParts, postponed: Postponed): void {
  if (postponed.deferred.length === 0) return;
  for (const deferred of postponed.takeDeferred()) {
    const { operation } = deferred;
    if (!removeSeen(parts, deferred, operation)) postponed.defer(deferred);
  }
}

type ContentOperation = AddOperation | WriteOperation | RemoveOperation | TextOperation;

function isContentOperation(operation: Operation): operation is ContentOperation {
  const { type } = operation;
  return type === "add" || type === "write" || type === "remove" || type === "text";
}

function performOnContents(
  parts: EntityParts,
  commit: StateCommit,
  operation: ContentOperation,
  index: number,
): void {
  switch (operation.type) {
    case "add":
      parts.contents.add(operation, commit.writer, commit.sequence);
      return;
    case "write": {
      const { path, seen, value } = operation;
      const { writer, sequence, hybridTime } = commit;
      const entry = { writer, sequence, hybridTime, value, bytes: valueBytes(value) };
      parts.contents.write(path, removalOf(parts, commit, seen), entry);
      if (seen.length === 0) return;
      deferUnseen(parts, commit, index, { type: "remove", path, seen, floors: [] });
      return;
    }
    case "remove":
      if (!removeSeen(parts, commit, operation)) deferUnseen(parts, commit, index, operation);
      return;
    case "text":
      parts.documentsIfAny ??= new DocumentSection(parts.name);
      parts.documentsIfAny.apply(operation.update, commit.working);
      return;
    default:
      unreachable(operation);
  }
}

function performOnEnvelope(
  parts: EntityParts,
  commit: StateCommit,
  operation: Exclude<Operation, ContentOperation>,
  index: number,
): void {
  const { writer, sequence, hybridTime } = commit;
  switch (operation.type) {
    case "record":
      performRecord(parts, commit, operation, index);
      return;
    case "forget":
    case "confirm":
      if (!removeSeen(parts, commit, operation)) deferUnseen(parts, commit, index, operation);
      return;
    case "send": {
      const number = sequence * sendsPerCommitMax + operation.index;
      const entry: OutboxEntry = { writer, number, ...requestOf(operation), hybridTime };
      parts.outboxIfAny ??= new Outbox();
      parts.outboxIfAny.add(entry);
      return;
    }
    case "fail": {
      const { type: _type, ...failed } = operation;
      parts.outboxIfAny ??= new Outbox();
      parts.outboxIfAny.fail({ ...failed, hybridTime });
      return;
    }
    case "discard":
      parts.outboxIfAny ??= new Outbox();
      parts.outboxIfAny.discard(operation.refusals);
      return;
    case "retire":
      parts.contents.fold({ writers: new Set(operation.writers), writer, sequence });
      parts.context.retire(operation.writers);
      return;
    default:
      unreachable(operation);
  }
}

function performRecord(
  parts: EntityParts,
  commit: StateCommit,
  operation: RecordOperation,
  index: number,
): void {
  const { call, seen } = operation;
  parts.dedupeIfAny ??= new DedupeTable();
  parts.dedupeIfAny.record(call, commit, seenPart(seen, parts.context, true));
  // With one writer at a time nothing is unseen, and there is nothing to make an operation of.
  if (seen.length === 0) return;
  const { caller, received } = call;
  deferUnseen(parts, commit, index, { type: "forget", caller, below: received, seen });
}

/** @returns whether all of it could be applied. */
function removeSeen(
  parts: EntityParts,
  by: { readonly writer: number; readonly sequence: number },
  operation: DeferrableOperation,
): boolean {
  switch (operation.type) {
    case "remove": {
      const { path, seen, floors } = operation;
      parts.contents.remove(path, { ...removalOf(parts, by, seen), floors: floorIndex(floors) });
      return isAllHere(parts, seen);
    }
    case "forget":
      parts.dedupeIfAny?.forget(
        operation.caller,
        operation.below,
        removalOf(parts, by, operation.seen),
      );
      return isAllHere(parts, operation.seen);
    case "confirm":
      return confirm(parts, operation.ids);
    default:
      return unreachable(operation);
  }
}

function confirm(parts: EntityParts, ids: readonly number[]): boolean {
  let isComplete = true;
  for (let index = 0; index < ids.length; index += 2) {
    const id = { writer: ids[index]!, number: ids[index + 1]! };
    parts.outboxIfAny?.remove(id);
    if (!parts.context.includes(id.writer, sequenceOfSend(id))) isComplete = false;
  }
  return isComplete;
}

function deferUnseen(
  parts: EntityParts,
  commit: StateCommit,
  index: number,
  operation: DeferrableOperation,
): void {
  if (operation.type !== "confirm" && isAllHere(parts, operation.seen)) return;
  parts.postponed ??= new Postponed();
  const { writer, sequence } = commit;
  parts.postponed.defer({ writer, sequence, index, operation });
}

function removalOf(
  parts: EntityParts,
  by: { readonly writer: number; readonly sequence: number },
  seen: Seen,
): Removal {
  const { writer, sequence } = by;
  return { writer, sequence, seen: seenPart(seen, parts.context, true), floors: undefined };
}

function isAllHere(parts: EntityParts, seen: Seen): boolean {
  return seen.length === 0 || seenPart(seen, parts.context, false).length === 0;
}

function floorIndex(floors: readonly Floor[]): ReadonlyMap<string, number> | undefined {
  if (floors.length === 0) return undefined;
  return new Map(floors.map((f) => [floorKey(f.path, f.writer, f.first), f.total]));
}
