/** The table of unsettled calls, against the plain list that it stands for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UnsettledCalls, type UnsettledCall } from "../../src/client/unsettled-calls.ts";

interface TestCall extends UnsettledCall<TestCall> {
  readonly number: number;
}

/** Two keys with one hash: they share a bucket without being one entity. */
const keys = ["Aa", "BB", "alice", "bob"];
const functionNames = ["cart", "orders"];

function callOf(functionName: string, key: string, number: number): TestCall {
  return {
    functionName,
    key,
    number,
    older: undefined,
    newer: undefined,
    newest: undefined,
    neighbour: undefined,
    keyHash: 0,
  };
}

function oldestNumber(calls: readonly TestCall[], call: TestCall): number {
  const ofEntity = calls.filter(
    ({ functionName, key }) => functionName === call.functionName && key === call.key,
  );
  return Math.min(...ofEntity.map(({ number }) => number));
}

const step = fc.oneof(
  fc.record({ functionName: fc.constantFrom(...functionNames), key: fc.constantFrom(...keys) }),
  fc.record({ settled: fc.nat() }),
);

test("what was received is what lies below the oldest unsettled call of the entity", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new UnsettledCalls<TestCall>();
      const calls: TestCall[] = [];
      for (const [index, taken] of steps.entries()) {
        if ("key" in taken) {
          const call = callOf(taken.functionName, taken.key, index + 1);
          table.begin(call);
          calls.push(call);
        } else if (calls.length > 0) {
          const [gone] = calls.splice(taken.settled % calls.length, 1);
          if (gone !== undefined) table.settle(gone);
        }
        for (const call of calls) assert.equal(table.received(call), oldestNumber(calls, call));
      }
    }),
  );
});

test("a settled call holds on to no other", () => {
  const table = new UnsettledCalls<TestCall>();
  const calls = [1, 2, 3].map((number) => callOf("cart", "alice", number));
  for (const call of calls) table.begin(call);
  for (const call of calls) {
    table.settle(call);
    const { older, newer, newest, neighbour } = call;
    assert.deepEqual(
      [older, newer, newest, neighbour],
      [undefined, undefined, undefined, undefined],
    );
  }
});
