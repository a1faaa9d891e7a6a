/**
 * Everything about a call that is wrong before it is sent: unknown names, bad keys, inputs that are
 * no values, inputs that are too large. Nothing of it costs a node anything.
 */
import { encodeValue } from "../codec/value-bytes.ts";
import { operationNotFound } from "../definition/handle.ts";
import { didYouMean, quote } from "../definition/known-names.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { checkValue } from "../model/value-check.ts";
import type { RoutingTable } from "../routing/routing-table.ts";
import type { CatalogueEntry } from "../wire/messages.ts";

const noInput = new Uint8Array(0);

/** @throws LatticeError `not_found` with the functions that do exist. */
export function catalogueEntry(table: RoutingTable, functionName: string): CatalogueEntry {
  const entry = table.functions.get(functionName);
  if (entry !== undefined) return entry;
  const known = [...table.functions.keys()].sort();
  const exist = known.length === 0 ? "it serves none" : `it serves ${known.join(", ")}`;
  throw new LatticeError(
    "not_found",
    `the cluster has no function ${quote(functionName)}${didYouMean(functionName, known)}; ${exist}`,
    { function: functionName },
  );
}

/** Whether an operation is a query. @throws LatticeError `not_found` with those that do exist. */
export function isQuery(entry: CatalogueEntry, operation: string): boolean {
  if (entry.handlers.includes(operation)) return false;
  if (entry.queries.includes(operation)) return true;
  throw operationNotFound(entry.name, operation, entry);
}

/** @throws LatticeError `invalid_argument` that names the path, `too_large`. */
export function encodeInput(entry: CatalogueEntry, operation: string, input: unknown): Uint8Array {
  if (input === undefined) return noInput;
  const bytes = encodeValue(checkValue(input, "input"));
  if (bytes.length <= limits.clientPayloadBytesMax) return bytes;
  throw new LatticeError(
    "too_large",
    `${entry.name} ${operation}: the input has ${String(bytes.length)} bytes, at most ` +
      `${String(limits.clientPayloadBytesMax)} are possible; send it in parts`,
    { function: entry.name },
  );
}
