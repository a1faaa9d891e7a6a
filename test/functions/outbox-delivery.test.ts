/** Sent calls arrive in order, are tried until answered, and leave the outbox once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { outboxCaller, outboxSender } from "../../src/functions/outbox-caller.ts";
import type { DeliveryEnd, OutboxPort, RefusedSend } from "../../src/functions/outbox-delivery.ts";
import { deliveriesMax, OutboxDelivery } from "../../src/functions/outbox-delivery.ts";
import { LatticeError } from "../../src/model/error.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { OutboxEntry } from "../../src/state/outbox.ts";
import type { SendId } from "../../src/state/send.ts";

const sender = "cart/alice";

function entry(number: number, key = "main"): OutboxEntry {
  const input = new Uint8Array(0);
  return { writer: 7, number, functionName: "shop", key, operation: "sell", input, hybridTime: 1 };
}

interface Attempt {
  readonly address: string;
  readonly attempt: number;
  end(end?: DeliveryEnd): void;
}

/** A port that keeps what it is asked to do until the test does it. */
class Stage implements OutboxPort {
  readonly time: VirtualTime;
  readonly delivery: OutboxDelivery;
  readonly attempts: Attempt[] = [];
  readonly refusals: string[] = [];
  readonly abandonedOnes: string[] = [];
  readonly settledOnes: string[] = [];
  readonly confirms: {
    ids: number[];
    refused: number;
    done: (copies: number | undefined) => void;
  }[] = [];

  constructor(seed = 1) {
    this.time = new VirtualTime({ seed });
    this.delivery = new OutboxDelivery(this.time.node("a"), this);
  }

  deliver(
    from: string,
    sent: OutboxEntry,
    attempt: number,
    done: (end: DeliveryEnd) => void,
  ): void {
    const address = `${from} ${sent.key} ${String(sent.number)}`;
    this.attempts.push({ address, attempt, end: done });
  }

  confirm(
    _from: string,
    ids: readonly SendId[],
    refused: readonly RefusedSend[],
    done: (copies: number | undefined) => void,
  ): void {
    this.confirms.push({ ids: ids.map((id) => id.number), refused: refused.length, done });
  }

  settled(from: string, over: readonly OutboxEntry[], copies: number): void {
    for (const { number } of over) {
      this.settledOnes.push(`${from} ${String(number)}, ${String(copies)} copies`);
    }
  }

  abandoned(from: string, sent: OutboxEntry): void {
    this.abandonedOnes.push(`${from} ${sent.key} ${String(sent.number)}`);
  }

  refused(_from: string, { entry: sent, error }: RefusedSend): void {
    this.refusals.push(`${String(sent.number)} ${error.code}`);
  }

  get open(): string[] {
    return this.attempts.map(({ address }) => address);
  }

  /** Ends the oldest attempt that is under way. */
  end(end?: DeliveryEnd): void {
    this.attempts.shift()?.end(end);
  }
}

const unavailable = new LatticeError("unavailable", "later");

test("calls to one target go one at a time in order, to several at once", () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2), entry(3, "other")]);
  assert.deepEqual(s.open, ["cart/alice main 1", "cart/alice other 3"]);
  s.end();
  assert.deepEqual(s.open, ["cart/alice other 3", "cart/alice main 2"]);
  assert.equal(s.delivery.depth, 3);
});

test("what ends together leaves the outbox in one commit", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1, "a"), entry(2, "b"), entry(3, "c")]);
  s.end();
  s.end();
  await s.time.run();
  assert.deepEqual(
    s.confirms.map(({ ids }) => ids),
    [[1, 2]],
  );
  s.end();
  await s.time.run();
  assert.equal(s.confirms.length, 1);
  s.delivery.update(sender, [entry(3, "c")]);
  s.confirms[0]?.done(2);
  await s.time.run();
  assert.deepEqual(s.confirms[1]?.ids, [3]);
  s.delivery.update(sender, []);
  s.confirms[1].done(2);
  assert.equal(s.delivery.depth, 0);
  assert.equal(s.delivery.deliveredCount, 3);
});

test("a call without an answer is made again after a back-off, before what comes after it", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2)]);
  s.end(unavailable);
  assert.deepEqual(s.open, []);
  await s.time.run();
  s.end(new LatticeError("indeterminate", "who knows"));
  await s.time.run();
  assert.deepEqual(
    s.attempts.map(({ address, attempt }) => [address, attempt]),
    [["cart/alice main 1", 3]],
  );
  assert.equal(s.delivery.redeliveredCount, 2);
  s.end();
  assert.equal(s.attempts.at(0)?.attempt, 1);
});

test("a final refusal is told, kept, and the next call goes on", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2)]);
  s.end(new LatticeError("handler_error", "no"));
  assert.deepEqual([s.open, s.refusals], [["cart/alice main 2"], ["1 handler_error"]]);
  await s.time.run();
  assert.deepEqual([s.confirms[0]?.ids, s.confirms[0]?.refused], [[1], 1]);
  assert.equal(s.delivery.refusedCount, 1);
});

test("a confirmation that is not known to be committed is made again with what came since", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2)]);
  s.end();
  await s.time.run();
  s.end(new LatticeError("not_found", "gone"));
  s.confirms[0]?.done(undefined);
  await s.time.run();
  assert.deepEqual([s.confirms[1]?.ids, s.confirms[1]?.refused], [[1, 2], 1]);
});

test("telling the same outbox again delivers nothing twice", () => {
  const s = new Stage();
  const entries = [entry(1), entry(2)];
  s.delivery.update(sender, entries);
  s.delivery.update(sender, entries);
  s.end();
  s.delivery.update(sender, entries);
  assert.deepEqual(s.open, ["cart/alice main 2"]);
});

test("what somebody else took out of the outbox is not delivered", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2), entry(3)]);
  s.delivery.update(sender, [entry(1), entry(3)]);
  s.end();
  assert.deepEqual(s.open, ["cart/alice main 3"]);
  s.delivery.update(sender, []);
  s.end();
  await s.time.run();
  assert.equal(s.delivery.depth, 0);
});

test("an entity that is led by another node now is let go of, whatever still comes", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2)]);
  s.delivery.update("cart/bob", [entry(1, "bob")]);
  s.end(unavailable);
  s.delivery.drop(sender);
  assert.equal(s.delivery.depth, 1);
  s.end();
  await s.time.run();
  assert.deepEqual(s.open, []);
  assert.deepEqual(
    s.confirms.map(({ ids }) => ids),
    [[1]],
  );
  s.delivery.stop();
  s.confirms[0]?.done(undefined);
  await s.time.run();
  assert.deepEqual([s.delivery.depth, s.confirms.length], [0, 1]);
});

test("no more than so many calls are under way at once", () => {
  const s = new Stage();
  const entries = Array.from({ length: deliveriesMax + 50 }, (_, i) => entry(i, `k${String(i)}`));
  s.delivery.update(sender, entries);
  assert.equal(s.attempts.length, deliveriesMax);
  s.end();
  s.end(unavailable);
  assert.equal(s.attempts.length, deliveriesMax);
});

test("whatever fails, every call takes effect in order per target and leaves the outbox", async () => {
  const keys = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(
      keys,
      fc.array(fc.nat(3), { minLength: 1 }),
      fc.nat(),
      async (sent, luck, seed) => {
        const s = new Stage(seed);
        let outbox = sent.map((key, number) => entry(number, key));
        const arrived = new Map<string, number>();
        s.delivery.update(sender, outbox);
        for (let step = 0; s.delivery.depth > 0; step++) {
          assert.ok(step < 2_000, "it goes on for ever");
          const [attempt] = s.attempts;
          // Luck turns in the end, or it would go on for ever.
          const chance = luck[step] ?? 3;
          if (attempt !== undefined) {
            const [, key = "", number = ""] = attempt.address.split(" ");
            // Arrives and is answered, arrives and the answer is lost, or does not arrive.
            if (chance > 0) {
              assert.ok((arrived.get(key) ?? -1) <= Number(number));
              arrived.set(key, Number(number));
            }
            s.end(chance > 1 ? undefined : unavailable);
          }
          await s.time.run();
          const confirm = s.confirms.shift();
          if (confirm === undefined) continue;
          if (chance > 0) outbox = outbox.filter(({ number }) => !confirm.ids.includes(number));
          s.delivery.update(sender, outbox);
          confirm.done(chance > 0 ? 2 : undefined);
          await s.time.run();
        }
        for (const key of new Set(sent)) assert.equal(arrived.get(key), sent.lastIndexOf(key));
        assert.equal(s.delivery.deliveredCount, sent.length);
      },
    ),
    { numRuns: 50 },
  );
});

test("the sender of a call stands in its caller", () => {
  const caller = outboxCaller("cart/a:b/c", 123_456_789);
  assert.equal(outboxSender(caller), "cart/a:b/c");
  assert.equal(outboxSender("V1StGXR8_Z5jdHi6B-myT"), undefined);
});

test("a late end of what somebody else took out does not touch what is sent since", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1)]);
  const late = s.attempts.shift();
  s.delivery.update(sender, []);
  s.delivery.update(sender, [entry(2)]);
  late?.end();
  await s.time.run();
  for (const { done } of s.confirms.splice(0)) done(2);
  s.end();
  await s.time.run();
  assert.deepEqual(
    s.confirms.map(({ ids }) => ids),
    [[2]],
  );
  s.delivery.update(sender, []);
  s.confirms[0]?.done(2);
  assert.equal(s.delivery.depth, 0);
});

test("an outbox told anew while its calls go out sends each of them once, in order", () => {
  const s = new Stage();
  const entries = [entry(1), entry(2), entry(3, "other")];
  const deliver = s.deliver.bind(s);
  s.deliver = (...args) => {
    deliver(...args);
    // A turn of the sender itself, run here at once, has sent one more.
    if (entries.length === 5) return;
    entries.push(entry(entries.length + 1));
    s.delivery.update(sender, [...entries]);
  };
  s.delivery.update(sender, [...entries]);
  const order: string[] = [];
  while (s.attempts.length > 0) {
    order.push(s.open[0]!);
    s.end();
  }
  assert.deepEqual(
    order.filter((address) => address.includes(" main ")),
    ["cart/alice main 1", "cart/alice main 2", "cart/alice main 4", "cart/alice main 5"],
  );
  assert.deepEqual(
    order.filter((address) => address.includes(" other ")),
    ["cart/alice other 3"],
  );
});

test("an outbox told again is known by its calls, whichever objects they stand in", () => {
  const s = new Stage();
  const entries = Array.from({ length: 1_000 }, (_, index) =>
    entry(index, `k${String(index % 9)}`),
  );
  s.delivery.update(sender, entries);
  assert.equal(s.delivery.depth, 1_000);
  s.delivery.update(sender, entries.slice(3));
  assert.equal(s.delivery.depth, 997);
  // A copy that came in an image holds the same calls in other objects.
  s.delivery.update(
    sender,
    entries.slice(5).map((sent) => ({ ...sent })),
  );
  assert.equal(s.delivery.depth, 995);
  assert.equal(s.attempts.length, 9, "one to each target, whichever object it stands in");
});

test("what is under way for a sender that is dropped is said to be abandoned", () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2), entry(3, "other"), entry(4, "third")]);
  s.end();
  s.attempts.pop()?.end(unavailable);
  s.delivery.drop(sender);
  assert.deepEqual(s.abandonedOnes.sort(), ["cart/alice other 3", "cart/alice third 4"]);
});

test("what is over is settled once copies hold that, unless it may be on its way once more", async () => {
  const s = new Stage();
  s.delivery.update(sender, [entry(1), entry(2)]);
  s.end();
  await s.time.run();
  s.confirms[0]?.done(2);
  assert.deepEqual(s.settledOnes, ["cart/alice 1, 2 copies"]);
  s.end();
  await s.time.run();
  s.delivery.drop(sender);
  // This node leads it again, and the second call is made anew before it is known to be over.
  s.delivery.update(sender, [entry(2)]);
  assert.deepEqual(s.open, ["cart/alice main 2"]);
  s.confirms[1]?.done(2);
  assert.equal(s.settledOnes.length, 1);
  s.end();
  await s.time.run();
  s.confirms[2]?.done(undefined);
  assert.equal(s.settledOnes.length, 1);
  await s.time.run();
  s.confirms[3]?.done(3);
  assert.deepEqual(s.settledOnes.slice(1), ["cart/alice 2, 3 copies"]);
});
