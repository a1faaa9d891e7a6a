/** Makes the operation that enters how a call ended into the dedupe table. */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { EndedCall } from "./call-record.ts";
import type { Entity } from "./entity.ts";
import type { RecordOperation } from "./operation.ts";

/**
 * @param now stamp of the turn
 * @throws LatticeError `overloaded` when the table is full
 */
export function recordOperation(
  entity: Entity,
  writer: WriterId,
  call: EndedCall,
  now: HybridTime,
): RecordOperation {
  if (call.received > call.number) throw recordedTwice(entity.name, call);
  const { dedupe } = entity;
  dedupe.checkRoom(call, now);
  return { type: "record", call, seen: dedupe.seenOf(call.caller, writer) };
}

/** The caller had its answer already, or this turn has recorded one. */
export function recordedTwice(entity: string, { caller, number }: EndedCall): LatticeError {
  return new LatticeError("internal", `${entity}: call ${String(number)} of ${caller} twice`);
}
