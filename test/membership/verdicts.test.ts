/** How one core comes to a verdict: probes, helpers, suspicion, hard evidence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Membership } from "../../src/membership/membership.ts";
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

test("an unanswered probe asks helpers and then accuses", () => {
  const core = singleCore(["a", "b", "c", "d", "e"]);
  const { to, at: startedAt } = nextPing(core);
  const effects = runAlone(core, startedAt + 600);
  const helpers = sent(effects).filter(({ message }) => message.type === "ping-request");
  assert.equal(helpers.length, 3);
  assert.ok(helpers.every(({ to: helper }) => helper !== to && helper !== "me"));
  assert.equal(statusOf(core, to), "alive");
  runAlone(core, startedAt + 1000);
  assert.equal(statusOf(core, to), "suspect");
  assert.equal(core.healthScore, 1);
});

test("when all helpers say no, the own health is not in doubt", () => {
  const core = singleCore(["a", "b", "c", "d", "e"]);
  const { to, sequence, at } = nextPing(core);
  const effects = runAlone(core, at + 600);
  for (const { to: helper, message } of sent(effects)) {
    if (message.type === "ping-request") core.receive(helper, { type: "nack", sequence }, at + 700);
  }
  runAlone(core, at + 1000);
  assert.equal(statusOf(core, to), "suspect");
  assert.equal(core.healthScore, 0);
});

test("an ack by way of a helper, and any other frame of the target, acquits", () => {
  const throughHelper = singleCore(["a", "b", "c", "d", "e"]);
  const { to, sequence, at } = nextPing(throughHelper);
  const helper = ["a", "b"].find((id) => id !== to)!;
  runAlone(throughHelper, at + 550);
  const doubts = throughHelper.receive(helper, ack(sequence), at + 700);
  assert.deepEqual(
    doubts.filter(({ type }) => type === "link-doubtful"),
    [{ type: "link-doubtful", node: to }],
  );
  assert.ok(types(runAlone(throughHelper, at + 1000)).every((type) => type !== "member-changed"));

  const byTraffic = singleCore(["a", "b", "c", "d", "e"]);
  const probe = nextPing(byTraffic);
  byTraffic.heardFrom(probe.to, probe.at + 400);
  runAlone(byTraffic, probe.at + 1000);
  assert.equal(statusOf(byTraffic, probe.to), "alive");
});

test("a link is not in doubt while anything comes over it", () => {
  const core = singleCore(["a", "b", "c", "d", "e"]);
  const { to, sequence, at } = nextPing(core);
  const helper = ["a", "b"].find((id) => id !== to)!;
  runAlone(core, at + 550);
  core.heardFrom(to, at + 600);
  assert.deepEqual(types(core.receive(helper, ack(sequence), at + 700)), []);
});

test("a helper passes an answer on and otherwise says no in time", () => {
  const core = singleCore(["a", "b", "c"]);
  const ask = (sequence: number, now: number) =>
    core.receive("a", { type: "ping-request", sequence, target: "b", updates: [] }, now);
  const own = sent(ask(41, 100))[0]!;
  assert.ok(own.to === "b" && own.message.type === "ping");
  const answer = ack(own.message.sequence);
  const passed = sent(core.receive("b", answer, 150)).map(({ to, message }) => [to, message.type]);
  assert.deepEqual(passed, [["a", "ack"]]);

  ask(42, 200);
  const late = sent(runAlone(core, 600)).filter(({ message }) => message.type === "nack");
  assert.deepEqual(late, [{ type: "send", to: "a", message: { type: "nack", sequence: 42 } }]);
  const unknown = core.receive(
    "a",
    { type: "ping-request", sequence: 43, target: "nobody", updates: [] },
    600,
  );
  assert.deepEqual(types(unknown), ["nack to a"]);
});

test("a helper declines when too many probes wait", () => {
  const core = singleCore(["a", "b"], { settings: { relayCountMax: 2 } });
  const ask = (sequence: number) =>
    types(core.receive("a", { type: "ping-request", sequence, target: "b", updates: [] }, 1));
  assert.deepEqual([ask(1), ask(2), ask(3)], [["ping to b"], ["ping to b"], ["nack to a"]]);
});

test("a ping meant for another node is not answered", () => {
  const core = singleCore(["a"]);
  const ping = { type: "ping", sequence: 5, updates: [] } as const;
  assert.deepEqual(types(core.receive("a", { ...ping, target: "b" }, 1)), []);
  assert.deepEqual(types(core.receive("a", { ...ping, target: "me" }, 1)), ["ack to a"]);
});

test("a member held suspect or dead is told so when it pings", () => {
  const core = singleCore(["a", "b"]);
  core.receive("b", { type: "gossip", updates: [update("a", { status: "dead", from: "b" })] }, 1);
  runAlone(core, 3000);
  const [answer] = sent(
    core.receive("a", { type: "ping", sequence: 1, target: "me", updates: [] }, 3000),
  );
  assert.ok(answer?.message.type === "ack");
  assert.equal(answer.message.updates[0]?.node, "a");
  assert.equal(answer.message.updates[0].status, "dead");
});

test("a verdict that comes late waits until sockets were read", () => {
  for (const refuted of [true, false]) {
    const core = singleCore(["a", "b"]);
    const accusation = update("a", { status: "suspect", from: "b" });
    core.receive("b", { type: "gossip", updates: [accusation] }, 0);
    const effects = core.tick(12_000);
    assert.equal(types(effects).filter((type) => type === "poll").length, 1);
    assert.equal(statusOf(core, "a"), "suspect");
    assert.ok(!types(core.tick(12_001)).includes("poll"), "asked once");
    if (refuted) {
      core.receive("a", { type: "gossip", updates: [update("a", { refutations: 1 })] }, 12_001);
    }
    core.polled(12_002);
    assert.equal(statusOf(core, "a"), refuted ? "alive" : "dead");
    assert.deepEqual(core.polled(12_003), [], "nothing is postponed any more");
  }
});

test("a verdict on time needs no second look", () => {
  const core = singleCore(["a", "b"]);
  core.receive(
    "b",
    { type: "gossip", updates: [update("a", { status: "suspect", from: "b" })] },
    0,
  );
  assert.ok(!types(runAlone(core, 4000)).includes("poll"));
  assert.equal(statusOf(core, "a"), "dead");
});

test("hard evidence of two nodes is a death after one second", () => {
  const core = singleCore(["a", "b", "c", "d"]);
  core.linkUp(peer("a"), 0);
  const told = types(core.linkLost("a", 1024, "refused", 100));
  assert.deepEqual(told.toSorted(), ["link-lost to b", "link-lost to c", "link-lost to d"]);
  assert.equal(statusOf(core, "a"), "alive");
  core.receive("b", { type: "link-lost", node: "a", boot: 1024 }, 300);
  assert.ok(core.nextTickAt <= 1300);
  for (const id of ["b", "c", "d"]) core.heardFrom(id, 1299);
  runAlone(core, 1299);
  assert.notEqual(statusOf(core, "a"), "dead");
  runAlone(core, 1300);
  assert.equal(statusOf(core, "a"), "dead");
});

test("hard evidence of one node suffices among three, and not among four", () => {
  for (const [others, expected] of [
    [["a", "b"], "dead"],
    [["a", "b", "c"], "alive"],
  ] as const) {
    const core = singleCore(others, { settings: { probeIntervalMs: 60_000 } });
    core.linkUp(peer("a"), 0);
    core.linkLost("a", 1024, "replaced", 0);
    runAlone(core, 1000);
    assert.equal(statusOf(core, "a"), expected);
  }
});

test("hard evidence falls when the process is linked again, heard or refutes", () => {
  const acquittals: readonly ((core: Membership) => void)[] = [
    (core) => core.linkUp(peer("a"), 500),
    (core) => core.heardFrom("a", 500),
    (core) =>
      core.receive("b", { type: "gossip", updates: [update("a", { refutations: 1 })] }, 500),
    (core) => core.linkUp(peer("a", 2048), 500),
  ];
  for (const acquit of acquittals) {
    const core = singleCore(["a", "b"], { settings: { probeIntervalMs: 60_000 } });
    core.linkUp(peer("a"), 0);
    core.linkLost("a", 1024, "refused", 0);
    acquit(core);
    runAlone(core, 5000);
    assert.equal(statusOf(core, "a"), "alive");
  }
});

test("no link, a goodbye, another life or a stranger's word is no hard evidence", () => {
  const core = singleCore(["a", "b"], { settings: { probeIntervalMs: 60_000 } });
  core.linkLost("a", 1024, "refused", 0);
  core.linkUp(peer("a"), 1);
  core.linkLost("a", 1024, "goodbye", 2);
  core.linkUp(peer("a"), 3);
  core.linkLost("a", 512, "refused", 4);
  core.linkLost("a", 1024, "unreachable", 5);
  core.receive("stranger", { type: "link-lost", node: "a", boot: 1024 }, 6);
  core.receive("b", { type: "link-lost", node: "a", boot: 512 }, 7);
  core.receive("a", { type: "link-lost", node: "a", boot: 1024 }, 8);
  runAlone(core, 5000);
  assert.equal(statusOf(core, "a"), "alive");
});

test("a lost link makes its node the next to be probed", () => {
  const core = singleCore(Array.from({ length: 30 }, (_, index) => `n${index}`));
  core.linkUp(peer("n17"), 0);
  core.linkLost("n17", 1024, "unreachable", 1);
  assert.equal(nextPing(core).to, "n17");
});

test("a slow event loop slows its own probes", () => {
  const rest = singleCore(["a"]);
  const slow = singleCore(["a"]);
  slow.loopDelay(2000, 0);
  assert.equal(slow.healthScore, 3);
  const pings = (core: Membership) =>
    sent(runAlone(core, 7000)).filter(({ message }) => message.type === "ping").length;
  assert.ok(pings(slow) < pings(rest));
});
