/** Which senders a target is told to forget, and when. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DoneCaller } from "../../src/functions/caller-operation.ts";
import { settledMin, SettledSends } from "../../src/functions/settled-sends.ts";
import { callerSilenceMs } from "../../src/state/dedupe.ts";

function stage(atOnce?: number) {
  const told: { target: string; callers: readonly DoneCaller[] }[] = [];
  const sends = new SettledSends((target, callers) => told.push({ target, callers }), atOnce);
  return { told, sends };
}

test("a target is told of many senders at once, of each with what is below its last number", () => {
  const { told, sends } = stage();
  for (let n = 1; n < settledMin; n += 1) sends.settled("shop/main", `@w:cart/${String(n)}`, n, 0);
  sends.settled("shop/main", "@w:cart/1", 9, 0);
  sends.settled("shop/main", "@w:cart/1", 4, 0);
  sends.settled("shop/other", "@w:cart/1", 5, 0);
  assert.equal(told.length, 0);
  sends.settled("shop/main", "@w:cart/last", 7, 0);
  assert.equal(told.length, 1);
  const [{ target, callers }] = told as [(typeof told)[0]];
  assert.deepEqual([target, callers.length], ["shop/main", settledMin]);
  assert.deepEqual(callers[0], { caller: "@w:cart/1", below: 10 });
  assert.deepEqual(callers.at(-1), { caller: "@w:cart/last", below: 8 });
});

test("a target that is full is told of all that are done, and of none twice", () => {
  const { told, sends } = stage();
  sends.press("shop/main");
  sends.settled("shop/main", "@w:cart/1", 1, 0);
  sends.press("shop/other");
  assert.equal(told.length, 0);
  sends.press("shop/main");
  sends.press("shop/main");
  assert.deepEqual(told, [{ target: "shop/main", callers: [{ caller: "@w:cart/1", below: 2 }] }]);
});

test("a sender with an attempt that nobody answered is left to its silence, wherever it sent to", () => {
  const { told, sends } = stage(1);
  sends.noteStray("@w:cart/1", 1_000);
  sends.settled("shop/main", "@w:cart/1", 1, 1_001);
  sends.settled("shop/other", "@w:cart/1", 2, callerSilenceMs + 999);
  assert.deepEqual(told, []);
  sends.settled("shop/main", "@w:cart/2", 1, 1_001);
  sends.settled("shop/main", "@w:cart/1", 3, callerSilenceMs + 1_001);
  assert.deepEqual(
    told.map(({ callers }) => callers),
    [[{ caller: "@w:cart/2", below: 2 }], [{ caller: "@w:cart/1", below: 4 }]],
  );
});

test("with too many of them to be known one by one, nobody is forgotten for as long", () => {
  const { told, sends } = stage(1);
  for (let n = 0; n <= 4_096; n += 1) sends.noteStray(`@w:cart/${String(n)}`, 5);
  sends.settled("shop/main", "@w:basket/1", 1, 6);
  sends.settled("shop/main", "@w:cart/3", 1, callerSilenceMs + 4);
  assert.deepEqual(told, []);
  sends.settled("shop/main", "@w:cart/3", 2, callerSilenceMs + 5);
  assert.equal(told.length, 1);
});

test("of targets without a crowd no more is noted than so much", () => {
  const { told, sends } = stage();
  for (let n = 0; n < 20_000; n += 1) sends.settled(`shop/${String(n)}`, "@w:cart/1", 1, 0);
  sends.press("shop/0");
  assert.deepEqual(told, []);
  sends.press("shop/19999");
  assert.equal(told.length, 1);
});
