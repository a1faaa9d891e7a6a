/** Timers fire when they are due, one at a time of each entity, until they are known to be over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DueQueue, notQueued } from "../../src/functions/due-queue.ts";
import { firingsMax, TimerDelivery } from "../../src/functions/timer-delivery.ts";
import type { TimerTask } from "../../src/functions/timer-delivery.ts";
import { LatticeError } from "../../src/model/error.ts";
import type { EntityTimer } from "../../src/state/timers.ts";

const unavailable = new LatticeError("unavailable", "later");
const refusal = new LatticeError("handler_error", "never");

function timer(id: string, at: number, sequence = 1): EntityTimer {
  const input = new Uint8Array(0);
  return { id, operation: "run", at, every: undefined, input, writer: 7, sequence };
}

/** Half of the most that a back-off may be. */
function delivery(): TimerDelivery {
  return new TimerDelivery(() => 0.5);
}

function named(tasks: readonly TimerTask[]): string[] {
  return tasks.map(({ entity, timer: { id }, isRefused }) => {
    return `${entity} ${id}${isRefused ? " refused" : ""}`;
  });
}

test("a timer is taken when it is due, and not before", () => {
  const d = delivery();
  assert.equal(d.nextAt, Infinity);
  d.update("f/a", [timer("x", 30), timer("y", 10)]);
  d.update("f/b", [timer("x", 20)]);
  assert.deepEqual([d.count, d.nextAt], [3, 10]);
  assert.deepEqual(named(d.take(9)), []);
  assert.deepEqual(named(d.take(20)), ["f/a y", "f/b x"]);
  assert.equal(d.dueCount(20), 2);
  assert.equal(d.nextAt, 30);
});

test("telling the same timers again fires nothing twice, and one that is gone not at all", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 10), timer("y", 10)]);
  const [x] = d.take(10);
  d.update("f/a", [timer("x", 10), timer("y", 10)]);
  assert.deepEqual(d.take(10), []);
  d.update("f/a", [timer("x", 10)]);
  assert.equal(d.count, 1);
  d.ended(x!, undefined, 11);
  assert.deepEqual(d.take(12), []);
  assert.deepEqual([d.firedCount, d.dueCount(12)], [1, 0]);
  d.update("f/a", []);
  assert.deepEqual([d.count, d.nextAt], [0, Infinity]);
});

test("a timer that was set anew under its id is another one", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 10)]);
  const [first] = d.take(10);
  d.update("f/a", [timer("x", 10, 2)]);
  // The end of the first says nothing of it.
  d.ended(first!, unavailable, 10);
  const [second, ...others] = d.take(10);
  assert.deepEqual([second?.timer.sequence, others], [2, []]);
  d.update("f/a", [timer("x", 50, 3)]);
  d.ended(second!, undefined, 11);
  assert.equal(d.nextAt, 50);
  assert.equal(d.count, 1);
});

test("of one entity one is under way at a time, in the order in which they are due", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 1), timer("y", 2), timer("z", 3)]);
  const [x] = d.take(5);
  assert.deepEqual(named([x!]), ["f/a x"]);
  assert.deepEqual(d.take(5), []);
  d.update("f/a", [timer("x", 1), timer("z", 3)]);
  d.ended(x!, undefined, 6);
  assert.equal(d.nextAt, -Infinity);
  assert.deepEqual(named(d.take(6)), ["f/a z"]);
});

test("what is not known to have fired is tried again, after a longer and longer back-off", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 0)]);
  let now = 0;
  const delays: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    const [task] = d.take(now);
    assert.equal(d.ended(task!, unavailable, now), false);
    delays.push(d.nextAt - now);
    now = d.nextAt;
  }
  assert.deepEqual(delays.slice(0, 4), [25, 50, 100, 200]);
  assert.deepEqual(delays.slice(-2), [5_000, 5_000]);
  const [task] = d.take(now);
  const busy = new LatticeError("overloaded", "busy", { retryAfterMs: 100_000 });
  d.ended(task!, busy, now);
  assert.equal(d.nextAt - now, 105_000);
  assert.deepEqual([d.firedCount, d.failedCount, d.dueCount(now)], [0, 0, 1]);
});

test("a timer that is tried again later does not hold up the others of its entity", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 1), timer("y", 2)]);
  const [x] = d.take(5);
  d.take(5);
  d.ended(x!, unavailable, 5);
  assert.deepEqual(named(d.take(5)), ["f/a y"]);
});

test("what is refused for good is told once, and given up until that is committed", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 1)]);
  const [fired] = d.take(1);
  assert.equal(d.ended(fired!, refusal, 2), true);
  const [first] = d.take(2);
  assert.deepEqual(named([first!]), ["f/a x refused"]);
  assert.equal(d.ended(first!, refusal, 2), false);
  assert.deepEqual(d.take(2), []);
  const [second] = d.take(d.nextAt);
  assert.deepEqual(named([second!]), ["f/a x refused"]);
  assert.equal(d.ended(second!, undefined, 100), false);
  assert.deepEqual([d.firedCount, d.failedCount, d.nextAt], [0, 1, Infinity]);
});

test("what was dropped ends without a trace, and is begun anew with the entity", () => {
  const d = delivery();
  d.update("f/a", [timer("x", 1)]);
  const [old] = d.take(1);
  d.drop("f/a");
  assert.equal(d.count, 0);
  d.update("f/a", [timer("x", 1)]);
  assert.deepEqual(named(d.take(1)), ["f/a x"]);
  assert.equal(d.ended(old!, refusal, 2), false);
  assert.deepEqual(d.take(10_000), []);
  d.stop();
  assert.deepEqual([d.count, d.nextAt], [0, Infinity]);
});

test("a node has so many under way at once, and goes on with the others as they end", () => {
  const d = delivery();
  for (let n = 0; n < firingsMax + 2; n += 1) d.update(`f/${String(n)}`, [timer("x", 1)]);
  const tasks = d.take(1);
  assert.equal(tasks.length, firingsMax);
  assert.equal(d.nextAt, Infinity);
  d.ended(tasks[0]!, undefined, 1);
  assert.equal(d.take(1).length, 1);
});

test("a hundred thousand timers come out in order", () => {
  const d = delivery();
  const count = 100_000;
  for (let n = 0; n < count; n += 1) d.update(`f/${String(n)}`, [timer("x", (n * 7_919) % count)]);
  let taken = 0;
  for (let now = 0; now < count; now += 100) {
    for (const task of d.take(now)) {
      assert.ok(task.timer.at <= now && task.timer.at > now - 100);
      taken += 1;
      d.ended(task, undefined, now);
      d.update(task.entity, []);
    }
  }
  assert.equal(taken, count - 99);
  assert.equal(d.count, 99);
});

test("the queue keeps its order whatever is taken out of it", () => {
  const steps = fc.array(
    fc.record({ wakeAt: fc.nat(50), isRemoval: fc.boolean(), which: fc.nat() }),
  );
  fc.assert(
    fc.property(steps, (script) => {
      const queue = new DueQueue<{ readonly wakeAt: number; queueIndex: number }>();
      const items: { readonly wakeAt: number; queueIndex: number }[] = [];
      for (const { wakeAt, isRemoval, which } of script) {
        if (isRemoval && items.length > 0) {
          const [item] = items.splice(which % items.length, 1);
          queue.remove(item!);
          assert.equal(item!.queueIndex, notQueued);
          queue.remove(item!);
        } else {
          const item = { wakeAt, queueIndex: notQueued };
          items.push(item);
          queue.add(item);
        }
        assert.equal(queue.length, items.length);
        const least = Math.min(...items.map((item) => item.wakeAt));
        assert.equal(queue.first?.wakeAt ?? Infinity, least);
      }
    }),
  );
});
