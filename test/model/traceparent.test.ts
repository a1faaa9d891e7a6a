import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isTraceparent,
  traceFlagsOf,
  traceIdOf,
  traceparentOf,
} from "../../src/model/traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

test("a trace context has its parts where the W3C puts them", () => {
  const traceparent = traceparentOf(traceId, spanId, "01");
  assert.equal(traceparent, `00-${traceId}-${spanId}-01`);
  assert.ok(isTraceparent(traceparent));
  assert.equal(traceIdOf(traceparent), traceId);
  assert.equal(traceFlagsOf(traceparent), "01");
  assert.ok(isTraceparent(`00-${traceId}-${spanId}-ff`), "flags of later versions are let through");
});

test("what is no trace context of version 00 is not taken for one", () => {
  const wrong: readonly unknown[] = [
    "",
    undefined,
    7,
    `00-${traceId}-${spanId}`,
    `00-${traceId}-${spanId}-1`,
    `00-${traceId}-${spanId}-01-more`,
    `00-${traceId}-${spanId}-01\n`,
    ` 00-${traceId}-${spanId}-01`,
    `01-${traceId}-${spanId}-01`,
    `ff-${traceId}-${spanId}-01`,
    `00-${traceId.toUpperCase()}-${spanId}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}0-01`,
    `00-${"g".repeat(32)}-${spanId}-01`,
    `00-${"0".repeat(32)}-${spanId}-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
  ];
  for (const text of wrong) assert.equal(isTraceparent(text), false, String(text));
});
