/** The limits that `docs/limits.md` states, by the names and values that they have in the code. */
import { maxWatches } from "../../src/client/watches.ts";
import { idempotencyKeyLengthMax } from "../../src/definition/call-options.ts";
import { operationsMax } from "../../src/definition/define-function.ts";
import { acksMax } from "../../src/definition/function-options.ts";
import { fieldsMax, kindDepthMax } from "../../src/definition/shape.ts";
import { timerDelayMsMax, timerIdLengthMax } from "../../src/definition/timers.ts";
import { meteredKeysMax, topKeysMax } from "../../src/functions/metering.ts";
import { functionsMax } from "../../src/functions/registry.ts";
import { firingsMax } from "../../src/functions/timer-delivery.ts";
import { afterCommitMax } from "../../src/functions/turn.ts";
import { limits } from "../../src/model/limits.ts";
import { maxValueDepth } from "../../src/model/value.ts";
import { computeQueueMax } from "../../src/node/compute/thread-pool.ts";
import { farewellsMax } from "../../src/node/calls/farewells.ts";
import { trailMax } from "../../src/node/sessions/caller-trail.ts";
import { maxTableMembers } from "../../src/routing/routing-table.ts";
import {
  callersMax,
  callerSilenceMs,
  dedupeBytesMax,
  resultsPerCallerMax,
} from "../../src/state/dedupe.ts";
import { documentBytesMax } from "../../src/state/document-section.ts";
import { failedSendsMax } from "../../src/state/failed-sends.ts";
import { outboxBytesMax, sendsMax } from "../../src/state/outbox.ts";
import { scalarBytesMax } from "../../src/state/scope.ts";
import { timerInputBytesMax, timersMax } from "../../src/state/timers.ts";

const kibi = 1024;

/** As the page writes them, by the names of the constants. */
export const statedLimits: Readonly<Record<string, string>> = {
  nameLengthMax: `${count(limits.nameLengthMax)} characters`,
  fieldsMax: count(fieldsMax),
  kindDepthMax: count(kindDepthMax),
  operationsMax: count(operationsMax),
  acksMax: count(acksMax),
  deadlineMsMax: seconds(limits.deadlineMsMax),
  functionsMax: count(functionsMax),
  keyBytesMax: bytes(limits.keyBytesMax),
  maxValueDepth: count(maxValueDepth),
  valueNodesMax: count(limits.valueNodesMax),
  clientPayloadBytesMax: bytes(limits.clientPayloadBytesMax),
  idempotencyKeyLengthMax: `${count(idempotencyKeyLengthMax)} characters`,
  callDepthMax: count(limits.callDepthMax),
  tokenLengthMax: bytes(limits.tokenLengthMax),
  seenMarksMax: count(limits.seenMarksMax),
  timerIdLengthMax: `${count(timerIdLengthMax)} characters`,
  timerDelayMsMax: `${count(timerDelayMsMax / 86_400_000)} days`,
  scalarBytesMax: bytes(scalarBytesMax),
  documentBytesMax: bytes(documentBytesMax),
  entityQueueMax: count(limits.entityQueueMax),
  sendsMax: count(sendsMax),
  outboxBytesMax: bytes(outboxBytesMax),
  timersMax: count(timersMax),
  timerInputBytesMax: bytes(timerInputBytesMax),
  failedSendsMax: count(failedSendsMax),
  resultsPerCallerMax: count(resultsPerCallerMax),
  callersMax: count(callersMax),
  dedupeBytesMax: bytes(dedupeBytesMax),
  trailMax: count(trailMax),
  farewellsMax: count(farewellsMax),
  callerSilenceMs: seconds(callerSilenceMs),
  afterCommitMax: count(afterCommitMax),
  connectionsMax: count(limits.connectionsMax),
  greetingConnectionsMax: count(limits.greetingConnectionsMax),
  helloDeadlineMs: seconds(limits.helloDeadlineMs),
  helloFrameBytesMax: bytes(limits.helloFrameBytesMax),
  callsPerConnectionMax: count(limits.callsPerConnectionMax),
  callsPerNodeMax: count(limits.callsPerNodeMax),
  firingsMax: count(firingsMax),
  maxWatches: count(maxWatches),
  computeQueueMax: count(computeQueueMax),
  slowClientCloseBytes: bytes(limits.slowClientCloseBytes),
  eventReadersMax: count(limits.eventReadersMax),
  eventBacklogMax: count(limits.eventBacklogMax),
  maxTableMembers: count(maxTableMembers),
  meteredKeysMax: count(meteredKeysMax),
  topKeysMax: count(topKeysMax),
};

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function bytes(value: number): string {
  if (value >= kibi * kibi) return `${count(value / kibi / kibi)} MiB`;
  return value >= kibi ? `${count(value / kibi)} KiB` : `${count(value)} bytes`;
}

function seconds(valueMs: number): string {
  return `${count(valueMs / 1000)} s`;
}
