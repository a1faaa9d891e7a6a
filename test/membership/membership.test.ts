/** What one core believes and says, event by event. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { watchedBy } from "../../src/membership/watched.ts";
import {
  ack,
  nextPing,
  peer,
  runAlone,
  sent,
  singleCore,
  statusOf,
  types,
} from "./support/single-core.ts";
import { update } from "./support/update.ts";

test("an identity out of bounds is refused with what is allowed", () => {
  for (const self of [peer(""), peer("x".repeat(129)), { ...peer("x"), weight: 0 }]) {
    assert.throws(() => singleCore([], { self }), { code: "invalid_argument", message: /weight/ });
  }
});

test("it refutes past the accused incarnation and doubts its own health", () => {
  const core = singleCore(["a", "b"]);
  const accusation = update("me", { status: "suspect", refutations: 7, from: "a" });
  const effects = core.receive("b", { type: "gossip", updates: [accusation] }, 10);
  assert.deepEqual(effects, [{ type: "refuted", refutations: 8, accuser: "a" }]);
  assert.equal(core.self.refutations, 8);
  assert.equal(core.healthScore, 1);
  const told = sent(core.tick(core.nextTickAt))[0]?.message;
  assert.ok(told?.type === "gossip");
  assert.ok(told.updates.some(({ node, refutations }) => node === "me" && refutations === 8));
});

test("an accusation of an earlier incarnation needs no refutation", () => {
  const core = singleCore(["a"]);
  const at = (refutations: number) => update("me", { status: "dead", refutations, from: "a" });
  core.receive("a", { type: "gossip", updates: [at(3)] }, 1);
  core.receive("a", { type: "gossip", updates: [at(3), at(1)] }, 2);
  assert.equal(core.self.refutations, 4);
});

test("a later life of the own id is reported once and never refuted", () => {
  const core = singleCore(["a"]);
  const news = update("me", { boot: 4096, address: "ws://elsewhere" });
  const effects = core.receive("a", { type: "gossip", updates: [news, news] }, 1);
  assert.deepEqual(effects, [{ type: "outdated", boot: 4096 }]);
  assert.equal(core.self.boot, 1024);
  assert.equal(core.self.address, "ws://me");
});

test("news that a node gives about another's departure is only a death", () => {
  const core = singleCore(["a", "b"]);
  core.receive("b", { type: "gossip", updates: [update("a", { status: "left", from: "b" })] }, 1);
  assert.equal(statusOf(core, "a"), "dead");
  core.receive("b", { type: "gossip", updates: [update("a", { status: "left" })] }, 1);
  assert.equal(statusOf(core, "a"), "left");
});

test("who leaves is out of the placement at once, then says so to many, and stays away", () => {
  const core = singleCore(["a", "b", "c", "d", "e", "f"]);
  const effects = core.leaving(100);
  assert.deepEqual(types(effects), ["member-changed", "placement-changed"]);
  assert.ok(!core.placementMembers(100).some(({ id }) => id === "me"));
  assert.deepEqual(core.leaving(101), []);
  const goodbyes = sent(core.leave(200));
  assert.equal(goodbyes.length, 5);
  for (const { message } of goodbyes) {
    assert.ok(message.type === "gossip");
    assert.ok(message.updates.some(({ node, status }) => node === "me" && status === "left"));
  }
  core.receive("a", { type: "gossip", updates: [update("me", { refutations: 9 })] }, 300);
  assert.equal(core.self.status, "left");
  assert.deepEqual(types(core.linkUp(peer("a"), 300)), []);
  const ping = { type: "ping", sequence: 3, target: "me", updates: [] } as const;
  assert.deepEqual(types(core.receive("a", ping, 310)), ["ack to a"]);
  assert.ok(types(runAlone(core, 60_000)).every((type) => type.startsWith("gossip")));
  assert.equal(core.nextTickAt, Infinity);
  const { judgement } = core.judgeHello(peer("z"), 400);
  assert.equal(judgement.type, "refuse");
});

test("the dead leave the placement after ten seconds, by a timer of their own", () => {
  const core = singleCore(["a", "b"], { settings: { probeIntervalMs: 60_000 } });
  const dead = update("a", { status: "dead", from: "b" });
  const effects = core.receive("b", { type: "gossip", updates: [dead] }, 1000);
  assert.ok(!types(effects).includes("placement-changed"));
  assert.ok(!types(runAlone(core, 10_999)).includes("placement-changed"));
  const moved = runAlone(core, 11_000).find(({ type }) => type === "placement-changed");
  assert.ok(moved?.type === "placement-changed");
  assert.deepEqual(
    moved.members.map(({ id }) => id),
    ["b", "me"],
  );
});

test("dead records are bounded, forgotten after a day, and their boots known till then", () => {
  const day = 24 * 60 * 60 * 1000;
  const core = singleCore([], { settings: { recordCountMax: 10 } });
  for (let index = 0; index < 25; index++) {
    const record = update(`x${index}`, { status: "dead", boot: 2000 + index, from: "y" });
    core.receive("y", { type: "gossip", updates: [record] }, index);
  }
  assert.equal(core.members.size, 11);
  assert.equal(core.rememberedBoot("x14"), undefined);
  assert.equal(core.rememberedBoot("x24"), 2024);
  core.tick(day - 1);
  assert.equal(core.members.size, 11);
  core.tick(day + 10_100);
  assert.deepEqual([...core.members.keys()], ["me"]);
});

test("a full table ignores newcomers and says so", () => {
  const core = singleCore(["a"], { settings: { memberCountMax: 3 } });
  core.receive("a", { type: "gossip", updates: [update("b")] }, 1);
  const effects = core.receive("a", { type: "gossip", updates: [update("c")] }, 1);
  assert.deepEqual(effects, [{ type: "table-full", node: "c" }]);
  assert.equal(core.members.size, 3);
});

test("statements out of bounds are ignored and reported", () => {
  const bad = [
    update("", {}),
    update("x".repeat(129)),
    update("x", { address: "w".repeat(513) }),
    update("x", { zone: "z".repeat(129) }),
    update("x", { boot: -1 }),
    update("x", { boot: Number.NaN }),
    update("x", { refutations: 2 ** 40 }),
    update("x", { refutations: 0.5 }),
    update("x", { weight: Number.NaN }),
    update("x", { weight: Infinity }),
    update("me", { status: "dead", refutations: Number.MAX_SAFE_INTEGER }),
  ];
  const core = singleCore(["a"]);
  for (const updates of bad.map((one) => [one])) {
    assert.deepEqual(types(core.receive("a", { type: "gossip", updates }, 1)), ["malformed"]);
    const state = { type: "state", members: updates, reply: false } as const;
    assert.deepEqual(types(core.receive("a", state, 1)), ["malformed"]);
  }
  assert.deepEqual([...core.members.keys()].sort(), ["a", "me"]);
  assert.equal(core.self.refutations, 0);
});

for (const { count, linkedShare, name } of [
  {
    count: 120,
    linkedShare: 7 / 8,
    name: "above a full mesh probes go to linked members, but now and then",
  },
  { count: 90, linkedShare: 10 / 90, name: "up to a full mesh everybody is probed in turn" },
]) {
  test(name, () => {
    const others = Array.from({ length: count }, (_, index) => `n${String(index)}`);
    const core = singleCore(others);
    const linked = new Set(others.slice(0, 10));
    const watched = watchedBy("me", others, 3);
    for (const id of linked) core.linkUp(peer(id), 0);
    let toLinked = 0;
    for (let probe = 0; probe < 16 * count; probe++) {
      const { to, sequence, at } = nextPing(core);
      core.receive(to, ack(sequence), at + 1);
      if (probe % 2 === 0) assert.ok(watched.includes(to), to);
      else if (linked.has(to)) toLinked++;
    }
    const share = toLinked / (8 * count);
    assert.ok(Math.abs(share - linkedShare) < 0.05, String(share));
  });
}
