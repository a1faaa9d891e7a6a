/** `ctx.compute` as handlers and callers meet it; how modules are run is told in `test/node`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import type { ComputeRun } from "../../src/functions/ports.ts";
import { LatticeError } from "../../src/model/error.ts";
import type { Value } from "../../src/model/value.ts";
import { TurnStage } from "../support/turn-stage.ts";
import { WrittenModules } from "../support/written-modules.ts";

const modules = new WrittenModules({
  double: "export default (n) => n * 2;",
  throwing: "export default () => { throw new Error('too odd'); };",
  large: "export default () => 2n;",
});
after(() => {
  modules.remove();
});

const untyped = { input: undefined as unknown, module: undefined as unknown };
const price = defineFunction({
  state: { sum: crdt.counter() },
  handlers: {
    async add(ctx, name: string) {
      ctx.state.sum.add(await ctx.compute<number>(new URL(modules.url(name)), 21));
      return ctx.state.sum.value;
    },
    async catching(ctx, name: string): Promise<string> {
      try {
        return String(await ctx.compute<number>(modules.url(name)));
      } catch (error) {
        if (error instanceof LatticeError) return error.code;
        return error instanceof Error ? error.message : "something";
      }
    },
    plain: (ctx) => ctx.compute(untyped.module as string, untyped.input as Value),
    async soon(ctx, options: { timeoutMs: number }) {
      await ctx.compute(modules.url("double"), 1, options);
    },
    forgetful(ctx) {
      void ctx.compute(modules.url("double"), 1);
    },
  },
  queries: { double: (ctx, n: number) => ctx.compute<number>(modules.url("double"), n) },
});

/** Runs that go on until they are given up. */
function endless(stage: TurnStage): ComputeRun[] {
  const runs: ComputeRun[] = [];
  stage.compute = {
    run: (run) => {
      runs.push(run);
      return new Promise((_resolve, reject) => {
        run.signal.addEventListener("abort", () => {
          reject(run.signal.reason as Error);
        });
      });
    },
  };
  return runs;
}

test("a handler goes on with the result, its entity held meanwhile; a query may compute too", async () => {
  const stage = new TurnStage({ price });
  const first = stage.call("price/a add", "double");
  const second = stage.call("price/a add", "double");
  const query = stage.call("price/a double", 4);
  assert.equal(first.end, "open");
  await stage.time.settled(stage.ending(second));
  assert.deepEqual([first.end, second.end, query.end], ["42", "84", "8"]);
});

test("what the function throws is the handler's to catch, and else its own failure", async () => {
  const stage = new TurnStage({ price });
  const thrown = stage.call("price/a add", "throwing");
  const caught = stage.call("price/a catching", "throwing");
  await stage.time.settled(stage.ending(caught));
  assert.equal(thrown.end, "handler_error");
  const { outcome } = thrown;
  assert.ok(outcome?.type === "failed");
  assert.match(outcome.error.message, /^price\/a add: the handler threw: too odd$/);
  assert.equal(caught.end, '"too odd"');
  assert.equal(stage.store.entity("price/a").contents.fieldCount, 0);
});

test("what cannot be computed is told to the caller as it is", async () => {
  const stage = new TurnStage({ price });
  const missing = stage.call("price/a add", "missing");
  const large = stage.call("price/a add", "large");
  const caught = stage.call("price/a catching", "missing");
  await stage.time.settled(stage.ending(caught));
  for (const [call, message] of [
    [missing, /^price\/a add: ctx\.compute: file:.*\/missing\.mjs cannot be loaded: /],
    [large, /^price\/a add: ctx\.compute: result: BigInt/],
  ] as const) {
    assert.ok(call.outcome?.type === "failed");
    assert.equal(call.outcome.error.code, "invalid_argument");
    assert.match(call.outcome.error.message, message);
  }
  assert.equal(caught.end, '"invalid_argument"');
});

test("mistakes in asking for it are told before anything is run", async () => {
  const stage = new TurnStage({ price });
  const runs = endless(stage);
  const circle: unknown[] = [];
  circle.push(circle);
  const url = modules.url("double");
  for (const [module, input, code] of [
    ["./price.js", 1, "invalid_argument"],
    [undefined, 1, "invalid_argument"],
    ["https://example.org/price.js", 1, "invalid_argument"],
    ["node:fs", 1, "invalid_argument"],
    [url, 1n, "invalid_argument"],
    [url, circle, "invalid_argument"],
    [url, "x".repeat(2 ** 20), "too_large"],
  ] as const) {
    untyped.module = module;
    untyped.input = input;
    const call = stage.call("price/a plain");
    await stage.time.settled(stage.ending(call));
    assert.equal(call.end, code, String(module));
  }
  const call = stage.call("price/a soon", { timeoutMs: 0 });
  await stage.time.settled(stage.ending(call));
  assert.equal(call.end, "invalid_argument");
  assert.equal(runs.length, 0);
});

test("a computation ends with its own time, with its call's, and with its handler", async () => {
  const stage = new TurnStage({ price });
  const runs = endless(stage);
  const late = stage.call("price/a soon", { timeoutMs: 50 });
  await stage.pass(49);
  assert.equal(late.end, "open");
  await stage.pass(2);
  assert.equal(late.end, "deadline_exceeded");
  assert.ok(late.outcome?.type === "failed");
  assert.match(late.outcome.error.message, /double\.mjs did not end in 50 ms and was terminated/);
  const cutOff = stage.call("price/a add", "double", { deadlineAt: stage.node.clock.now() + 20 });
  await stage.pass(25);
  assert.equal(cutOff.end, "deadline_exceeded");
  const cancelled = stage.call("price/a add", "double");
  cancelled.turn.cancel();
  assert.equal(cancelled.end, "cancelled");
  const forgotten = stage.call("price/a forgetful");
  await stage.pass();
  assert.equal(forgotten.end, "done");
  assert.equal(runs.length, 4);
  assert.ok(runs.every(({ signal }) => signal.aborted));
});
