/** Handles: one `call` function behind every name, and nothing that surprises the language. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { createAskHandle } from "../../src/definition/ask-handle.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import type { Handle, HandleCall, HandleWatch } from "../../src/definition/handle.ts";
import { createHandle } from "../../src/definition/handle.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { createSender } from "../../src/definition/sender.ts";
import { refuses } from "../support/refuses.ts";

const definition = defineFunction({
  state: { lines: crdt.map(crdt.counter()) },
  handlers: { add: (_ctx, by: number) => by, clear: () => undefined },
  queries: { total: () => 7 },
});

function record(names?: { handlers: string[]; queries: string[] }): {
  handle: Handle<typeof definition>;
  calls: HandleCall[];
  watches: HandleWatch[];
} {
  const calls: HandleCall[] = [];
  const watches: HandleWatch[] = [];
  const handle = createHandle<typeof definition>({
    functionName: "cart",
    key: "alice",
    call: (call) => {
      calls.push(call);
      return Promise.resolve(42);
    },
    watch: async function* (watch) {
      watches.push(watch);
      yield await Promise.resolve({ lines: { tea: 1 } });
    },
    operations: names,
  });
  return { handle, calls, watches };
}

const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const names = { handlers: ["add", "clear"], queries: ["total"] };

test("a method makes one call with its input and the options so far", async () => {
  const { handle, calls } = record(names);
  assert.equal(await handle.add(2), 42);
  const both = handle.with({ timeoutMs: 5 }).with({ acks: "all" });
  await both.with({ timeoutMs: undefined }).total();
  assert.deepEqual(calls, [
    { functionName: "cart", key: "alice", operation: "add", input: 2, options: {} },
    {
      functionName: "cart",
      key: "alice",
      operation: "total",
      input: undefined,
      options: { timeoutMs: 5, acks: "all" },
    },
  ]);
  assert.equal(handle.add, handle.add);
});

test("a method works when taken off its handle", async () => {
  const { handle, calls } = record(names);
  const { add } = handle;
  await add(3);
  assert.equal(calls[0]?.input, 3);
});

test("a handle can be awaited, printed, compared and serialised without a call", async () => {
  const { handle, calls } = record();
  assert.equal(await Promise.resolve(handle), handle);
  assert.match(inspect(handle), /cart\/alice/);
  assert.equal(JSON.stringify({ handle }), '{"handle":{}}');
  assert.equal(`at ${handle as unknown as string}`, "at cart/alice");
  assert.notEqual(handle, record().handle);
  assert.equal("add" in handle, false);
  assert.equal((handle as { constructor?: unknown }).constructor, undefined);
  assert.deepEqual(Object.keys(handle), []);
  structuredCloneFails(handle);
  assert.equal(calls.length, 0);
});

function structuredCloneFails(value: unknown): void {
  assert.throws(() => structuredClone({ method: (value as { add: unknown }).add }));
}

test("an unknown operation is refused with what exists, when that is known", async () => {
  const { handle, calls } = record(names);
  const typo = handle as unknown as { ad(by: number): Promise<unknown> };
  refuses(() => typo.ad(1), "not_found", /'ad' \(did you mean 'add'\?\); it has add, clear, total/);
  assert.equal(calls.length, 0);
  const unchecked = record();
  await (unchecked.handle as unknown as typeof typo).ad(1);
  assert.equal(unchecked.calls.length, 1);
});

test("options are checked when they are given", () => {
  const { handle } = record(names);
  const loose = handle as unknown as { with(options: unknown): unknown };
  refuses(() => loose.with({ timeout: 5 }), "invalid_argument", /did you mean 'timeoutMs'/);
  refuses(() => loose.with(null), "invalid_argument");
  const wrong = [
    { timeoutMs: 0 },
    { timeoutMs: "5" },
    { acks: -1 },
    { whenSplit: 1 },
    { signal: {} },
    { signal: null },
    { idempotencyKey: "" },
    { idempotencyKey: "a".repeat(257) },
    { ordered: "yes" },
    { reply: "fully" },
    { traceparent: "" },
    { traceparent: 7 },
    { traceparent: traceparent.toUpperCase() },
    { traceparent: `${traceparent}-` },
    { traceparent: traceparent.replace("00f067aa0ba902b7", "0".repeat(16)) },
  ];
  for (const options of wrong) refuses(() => loose.with(options), "invalid_argument", /must be/);
  loose.with({ signal: new AbortController().signal, ordered: true, idempotencyKey: "a" });
  loose.with({ traceparent });
});

test("watching goes through the source with the options so far", async () => {
  const { handle, watches } = record(names);
  const { signal } = new AbortController();
  for await (const { lines } of handle.with({ signal }).watch()) assert.equal(lines["tea"], 1);
  assert.deepEqual(watches, [{ functionName: "cart", key: "alice", options: { signal } }]);
});

test("a handle cannot be written to", () => {
  const { handle } = record(names);
  assert.throws(() => {
    (handle as unknown as Record<string, unknown>)["added"] = 1;
  }, TypeError);
});

test("a sender has handlers only", () => {
  const sent: unknown[] = [];
  const sender = createSender<typeof definition>({
    functionName: "cart",
    key: "alice",
    definition,
    send: (operation, input) => sent.push([operation, input]),
  });
  sender.add(1);
  assert.deepEqual(sent, [["add", 1]]);
  const loose = sender as unknown as { total(): void };
  refuses(
    () => {
      loose.total();
    },
    "not_found",
    /it has add, clear/,
  );
});

test("a handle inside a turn passes its options on and has no watch", async () => {
  const asked: unknown[] = [];
  const handle = createAskHandle<typeof definition>({
    functionName: "cart",
    key: "alice",
    definition,
    ask: (...request) => {
      asked.push(request);
      return Promise.resolve(1);
    },
  });
  assert.equal(await handle.with({ timeoutMs: 5 }).add(1), 1);
  assert.deepEqual(asked, [["add", 1, { timeoutMs: 5 }]]);
  const loose = handle as unknown as { watch(): Promise<unknown>; with(options: object): unknown };
  refuses(() => loose.watch(), "not_found");
  refuses(() => loose.with({ acks: 1 }), "invalid_argument", /known are timeoutMs, signal/);
});
