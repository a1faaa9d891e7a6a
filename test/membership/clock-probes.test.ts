/** Whom a node asks for the time, and what it makes of the answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterClock } from "../../src/membership/cluster-clock.ts";
import type { Membership } from "../../src/membership/membership.ts";
import { hybridTicksPerMs } from "../../src/model/time.ts";
import { ack, nextPing, peer, runAlone, sent, singleCore } from "./support/single-core.ts";

const wallMs = Date.UTC(2026, 0);
const hourMs = 3_600_000;

/** A newcomer whose wall clock is an hour ahead. */
function newcomer(): { readonly core: Membership; readonly clock: ClusterClock } {
  const clock = new ClusterClock(0, wallMs + hourMs);
  return { core: singleCore([], { clock }), clock };
}

function answerOf(sequence: number, atMs: number, clockSettled = true) {
  const clock = (wallMs + atMs) * hybridTicksPerMs;
  return { ...ack(sequence), clock, clockSettled };
}

/** The pings among the effects. */
function pings(effects: Parameters<typeof sent>[0]) {
  return sent(effects).flatMap(({ to, message }) =>
    message.type === "ping" ? [{ to, sequence: message.sequence }] : [],
  );
}

test("a newcomer asks whom it meets, until it knows the time", () => {
  const { core, clock } = newcomer();
  const [asked] = pings(core.linkUp(peer("a"), 10));
  assert.equal(asked?.to, "a");
  const effects = core.receive("a", answerOf(asked.sequence, 11), 12);
  assert.deepEqual(effects, [{ type: "clock-set", aheadMs: hourMs }]);
  assert.equal(clock.read(12), wallMs + 12);
  assert.deepEqual(pings(core.linkUp(peer("b"), 20)), []);
});

test("an answer counts once, from whom was asked, and only with a reading", () => {
  const { core, clock } = newcomer();
  const [asked] = pings(core.linkUp(peer("a"), 10));
  const { sequence } = asked!;
  core.linkUp(peer("b"), 10);
  core.receive("b", answerOf(sequence, 11), 12);
  core.receive("a", answerOf(sequence + 7, 11), 12);
  assert.equal(clock.isSettled, false);
  core.receive("a", ack(sequence), 12);
  core.receive("a", answerOf(sequence, 11), 12);
  assert.equal(clock.isSettled, false, "the answer to a question that is over");
});

test("probes read the clocks of the others", () => {
  const clock = new ClusterClock(0, wallMs);
  clock.settle();
  const core = singleCore(["a"], { clock });
  const { to, sequence, at } = nextPing(core);
  assert.equal(to, "a");
  core.receive("a", answerOf(sequence, at + 21), at + 2);
  // 20 ms apart: they meet in the middle.
  assert.ok(Math.abs(clock.read(60_000) - wallMs - 60_000 - 10) < 0.01);
});

test("a ping is answered with a reading, and one that is passed on without", () => {
  const core = singleCore(["a", "b"]);
  const [answer] = sent(
    core.receive("a", { type: "ping", sequence: 5, target: "me", updates: [] }, 40),
  );
  assert.ok(answer?.message.type === "ack" && answer.message.clockSettled);
  assert.equal(answer.message.clock, (wallMs + 40) * hybridTicksPerMs);
  const ask = { type: "ping-request", sequence: 6, target: "b", updates: [] } as const;
  const [own] = pings(core.receive("a", ask, 50));
  const [passed] = sent(core.receive("b", answerOf(own!.sequence, 51), 52));
  assert.ok(passed?.message.type === "ack");
  assert.deepEqual([passed.message.clock, passed.message.clockSettled], [0, false]);
});

test("who is gone is asked no more, and neither is its clock remembered", () => {
  const { core, clock } = newcomer();
  const [asked] = pings(core.linkUp(peer("a"), 10));
  core.linkLost("a", 1024, "refused", 20);
  runAlone(core, 30_000);
  assert.equal(core.members.get("a")?.status, "dead");
  core.receive("a", answerOf(asked!.sequence, 30_001), 30_002);
  assert.equal(clock.isSettled, false);
});
