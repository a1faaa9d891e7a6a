/** How one core meets others: push/pull, join addresses, the heal loop, hellos. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ack, peer, runAlone, sent, singleCore, statusOf, types } from "./support/single-core.ts";
import { update } from "./support/update.ts";

test("a death in another's table only raises a suspicion, and the accused is told at once", () => {
  const core = singleCore(["a", "b"]);
  const row = update("a", { status: "dead", from: "b" });
  const effects = core.receive("b", { type: "state", members: [row], reply: false }, 1);
  assert.equal(statusOf(core, "a"), "suspect");
  const [told] = sent(effects).filter(({ to }) => to === "a");
  assert.ok(told?.message.type === "gossip");
  assert.equal(told.message.updates[0]?.status, "suspect");
});

test("records of unknown dead in another's table are not taken over", () => {
  const core = singleCore(["a"]);
  const rows = [
    update("x", { status: "dead", from: "a" }),
    update("y", { status: "left" }),
    update("z"),
  ];
  core.receive("a", { type: "state", members: rows, reply: false }, 1);
  assert.deepEqual([...core.members.keys()].sort(), ["a", "me", "z"]);
});

test("equal tables end a push/pull with the digest", () => {
  const core = singleCore(["peer"]);
  const other = singleCore(["me"], { self: peer("peer") });
  const [digest] = sent(core.linkUp(peer("peer"), 10));
  assert.ok(digest?.message.type === "digest");
  assert.deepEqual(other.receive("me", digest.message, 10), []);
  assert.deepEqual(sent(other.linkUp(peer("me"), 10)), [], "one side is enough");
});

test("two large tables meet in messages within their limits and end equal", () => {
  const rows = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => update(`node-${from + index}`));
  const left = singleCore();
  const right = singleCore([], { self: peer("you") });
  for (let at = 0; at < 1000; at += 100) {
    left.receive("x", { type: "gossip", updates: rows(at, at + 100) }, 0);
    right.receive("x", { type: "gossip", updates: rows(500 + at, 600 + at) }, 0);
  }
  const dead = update("node-700", { status: "dead", from: "x" });
  right.receive("x", { type: "gossip", updates: [dead] }, 0);
  right.linkUp(peer("me"), 0);
  let flying = sent(left.linkUp(peer("you"), 0));
  let states = 0;
  let rowCount = 0;
  for (let round = 0; flying.length > 0 && round < 10; round++) {
    const next: ReturnType<typeof sent>[number][] = [];
    for (const { to, message } of flying) {
      if (message.type === "state") {
        states++;
        rowCount += message.members.length;
        assert.ok(message.members.length <= 512);
        assert.ok(
          JSON.stringify(message.members.map(({ node, address }) => node + address)).length <
            16_384,
        );
      }
      const receiver = to === "you" ? right : left;
      const from = to === "you" ? "me" : "you";
      next.push(...sent(receiver.receive(from, message, 1)).filter((one) => one.to === from));
    }
    flying = next.filter(({ message }) => message.type !== "gossip");
  }
  assert.ok(states >= 8, "in several parts");
  assert.ok(rowCount <= 1010 + 510, "only what differs is answered");
  for (const core of [left, right]) assert.equal(core.members.size, 1502);
  assert.equal(statusOf(left, "node-700"), "suspect");
});

test("comparing again within a second does nothing", () => {
  const core = singleCore(["a"]);
  assert.deepEqual(types(core.compareWith("a", 100)), ["digest to a"]);
  assert.deepEqual(types(core.compareWith("a", 900)), []);
  assert.deepEqual(types(core.compareWith("a", 1100)), ["digest to a"]);
  assert.deepEqual(types(core.compareWith("nobody", 1100)), []);
});

test("alone it dials all join addresses again and again, its own never", () => {
  const joinAddresses = ["ws://a", "ws://me", "ws://b"];
  const core = singleCore([], { joinAddresses });
  const dials = runAlone(core, 10_000).flatMap((effect) =>
    effect.type === "dial" ? [effect.address] : [],
  );
  assert.ok(dials.length >= 14 && dials.length <= 30, String(dials.length));
  assert.deepEqual([...new Set(dials)], ["ws://a", "ws://b"]);
});

test("with company it dials the dead and unreached join addresses now and then, for ever", () => {
  const core = singleCore(["a", "b"], { joinAddresses: ["ws://a", "ws://c"] });
  const dead = update("d", { status: "dead", from: "a" });
  core.receive("a", { type: "gossip", updates: [dead] }, 0);
  const dials: string[] = [];
  for (let now = 0; now < 3_600_000; now = Math.max(now + 1, core.nextTickAt)) {
    for (const id of ["a", "b"]) core.heardFrom(id, now + 0.5);
    for (const effect of [...core.tick(now), ...core.polled(now)]) {
      if (effect.type === "dial") dials.push(effect.address);
      if (effect.type === "send" && effect.message.type === "ping") {
        core.receive(effect.to, ack(effect.message.sequence), now);
      }
    }
  }
  assert.ok(dials.length >= 115 && dials.length <= 121, String(dials.length));
  assert.deepEqual([...new Set(dials)].sort(), ["ws://c", "ws://d"]);
});

test("a newcomer with a known id waits until the old process has shown life or not", () => {
  for (const alive of [true, false]) {
    const core = singleCore(["a", "b"]);
    core.linkUp(peer("a"), 0);
    const first = core.judgeHello({ id: "a", boot: 2048 }, 1000);
    assert.deepEqual(first.judgement, { type: "wait", untilAt: 3000 });
    assert.deepEqual(types(first.effects), ["ping to a"]);
    if (alive) core.heardFrom("a", 1500);
    const second = core.judgeHello({ id: "a", boot: 2048 }, 3000);
    assert.deepEqual(second.effects, []);
    assert.equal(second.judgement.type, alive ? "refuse" : "accept");
  }
});

test("a newcomer that was accepted for one channel is not taken for the old process by the next", () => {
  const core = singleCore(["a", "b"]);
  core.linkUp(peer("a"), 0);
  core.judgeHello({ id: "a", boot: 2048 }, 1000);
  assert.equal(core.judgeHello({ id: "a", boot: 2048 }, 3000).judgement.type, "accept");
  core.heardFrom("a", 3010);
  assert.equal(core.judgeHello({ id: "a", boot: 2048 }, 3020).judgement.type, "accept");
});

test("a newcomer with a known id is accepted as soon as the old link is gone", () => {
  const core = singleCore(["a", "b"]);
  core.linkUp(peer("a"), 0);
  assert.equal(core.judgeHello({ id: "a", boot: 2048 }, 1000).judgement.type, "wait");
  core.linkLost("a", 1024, "unreachable", 1100);
  assert.equal(core.judgeHello({ id: "a", boot: 2048 }, 1100).judgement.type, "accept");
});

test("gossip about a flood of members stays within message limits", () => {
  const core = singleCore(["a", "b", "c"]);
  for (let at = 0; at < 3000; at += 500) {
    const updates = Array.from({ length: 500 }, (_, index) => update(`x${at + index}`));
    core.receive("a", { type: "gossip", updates }, 1);
  }
  for (const { message } of sent(runAlone(core, 5000))) {
    if (!("updates" in message)) continue;
    assert.ok(message.updates.length <= 512);
    const text = message.updates.map(({ node, address, from }) => node + address + from).join("");
    assert.ok(text.length + 48 * message.updates.length <= 16_000);
  }
});
