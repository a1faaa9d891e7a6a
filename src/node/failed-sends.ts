/** The finally refused calls of the entities that a node leads, as its operator sees them. */
import { decodeValue } from "../codec/value-bytes.ts";
import { checkKnownNames, quote } from "../definition/known-names.ts";
import { sendIdText } from "../functions/failed-send-operations.ts";
import { errorCodes, LatticeError } from "../model/error.ts";
import { entityName, splitEntityName, type EntityName } from "../model/ids.ts";
import { hybridTimeToMs } from "../model/time.ts";
import type { Entity } from "../state/entity.ts";
import type { FailedSend as KeptSend } from "../state/failed-sends.ts";
import type { FailedSend, FailedSendFilter } from "./failed-send.ts";
import type { Partitions } from "./partitions/partitions.ts";

const limitDefault = 1_000;

/**
 * Those of the entities that this process leads, sender by sender, oldest first. Looks at every entity.
 * @throws LatticeError `invalid_argument` for a filter that cannot be
 */
export function failedSendsOf(
  partitions: Pick<Partitions, "held">,
  filter: FailedSendFilter,
): readonly FailedSend[] {
  const limit = checkFilter(filter);
  const found: FailedSend[] = [];
  for (const entity of ledEntities(partitions, filter)) {
    for (const send of entity.outbox.failed) {
      if (found.length === limit) return found;
      found.push(listed(entity.name, send));
    }
  }
  return found;
}

function* ledEntities(
  partitions: Pick<Partitions, "held">,
  filter: FailedSendFilter,
): IterableIterator<Entity> {
  for (const [, replica] of partitions.held()) {
    if (replica.serving !== "primary") continue;
    for (const name of replica.entityNames()) {
      if (!isWanted(name, filter)) continue;
      const entity = replica.committedEntity(name);
      if (entity !== undefined) yield entity;
    }
  }
}

function isWanted(name: EntityName, { function: functionName, key }: FailedSendFilter): boolean {
  if (functionName === undefined && key === undefined) return true;
  const entity = splitEntityName(name);
  return (
    (functionName ?? entity.functionName) === entity.functionName &&
    (key ?? entity.key) === entity.key
  );
}

function listed(sender: EntityName, send: KeptSend): FailedSend {
  const { functionName, key, operation, input, code, message, hybridTime } = send;
  return {
    sender,
    id: sendIdText(send),
    target: entityName(functionName, key),
    operation,
    input: input.length === 0 ? undefined : decodeValue(input),
    // A later version may know more codes.
    code: errorCodes.find((known) => known === code) ?? "internal",
    message,
    at: hybridTimeToMs(hybridTime),
  };
}

/** @throws LatticeError `invalid_argument` */
export function checkSender(sender: unknown): EntityName {
  if (typeof sender === "string" && sender.includes("/")) return sender;
  throw new LatticeError(
    "invalid_argument",
    `a sender is named by function and key, such as cart/alice; got ${quote(String(sender))}`,
  );
}

/** @returns the limit */
function checkFilter(filter: unknown): number {
  if (typeof filter !== "object" || filter === null) {
    throw invalid('takes an object such as { function: "cart" }');
  }
  const names = ["function", "key", "limit"];
  checkKnownNames("failedSends", "option", Object.keys(filter), names);
  const { function: functionName, key, limit = limitDefault } = filter as Record<string, unknown>;
  for (const [name, value] of Object.entries({ function: functionName, key })) {
    if (value !== undefined && typeof value !== "string") throw invalid(`${name} must be a string`);
  }
  if (typeof limit === "number" && Number.isSafeInteger(limit) && limit >= 1) return limit;
  throw invalid(`limit must be an integer from 1, got ${String(limit)}`);
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `failedSends: ${what}`);
}
