/** Nodes that crash again and again take no partitions for a while. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../../src/membership/member.ts";
import { memberOf } from "../../src/membership/member.ts";
import { placementOf } from "../../src/membership/placement.ts";
import { Rest, counted, restMs, restartsAfter } from "../../src/membership/rest.ts";
import { membershipSettings } from "../../src/membership/settings.ts";
import type { MemberUpdate } from "../../src/wire/membership-messages.ts";
import { ack, nextPing, peer, sent, singleCore } from "./support/single-core.ts";
import { update } from "./support/update.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";
import type { VirtualNode } from "./support/virtual-node.ts";

const settings = membershipSettings();
const minuteMs = 60_000;

function member(id: string, changes: Partial<Member> = {}): Member {
  return { ...memberOf(update(id), 0), ...changes };
}

test("a member rests from its third restart on, twice as long each time, up to ten minutes", () => {
  const minutes = Array.from({ length: 10 }, (_, count) => restMs(count, settings) / minuteMs);
  assert.deepEqual(minutes, [0, 0, 0, 1, 2, 4, 8, 10, 10, 10]);
  assert.equal(restMs(15, membershipSettings({ flapCountMin: 16 })), 0, "nobody ever rests");
});

test("a restart counts unless the life before went in order, or long ago", () => {
  const ended = { status: "dead", leaving: false, statusAt: 1000, restarts: 2 } as const;
  const cases: readonly (readonly [Partial<Member>, number, number])[] = [
    [{}, 2000, 3],
    [{}, 1000 + 10 * minuteMs - 1, 3],
    [{}, 1000 + 10 * minuteMs, 0],
    [{ status: "alive" }, 99 * minuteMs, 3],
    [{ status: "suspect" }, 99 * minuteMs, 3],
    [{ restarts: 0 }, 2000, 1],
    [{ restarts: 15 }, 2000, 15],
    [{ status: "left" }, 2000, 0],
    [{ status: "gone" }, 2000, 0],
    [{ leaving: true }, 2000, 0],
  ];
  for (const [change, now, count] of cases) {
    const text = JSON.stringify({ change, now });
    assert.equal(restartsAfter({ ...ended, ...change }, now, settings), count, text);
  }
});

test("only the first word of a later life is counted on, and never down", () => {
  const known = member("x", { boot: 1024, restarts: 2, status: "dead" });
  const next = update("x", { boot: 2048 });
  const count = (statement: MemberUpdate, of: Member | undefined = known): readonly unknown[] => {
    const { restarts, resting } = counted(statement, of, 1000, settings);
    return [restarts, resting];
  };
  assert.deepEqual(count(next), [3, true]);
  assert.deepEqual(count(next, member("x", { restarts: 1 })), [2, false]);
  assert.deepEqual(counted(next, undefined, 1000, settings), next);
  assert.deepEqual(count({ ...next, refutations: 1 }), [0, false], "it has spoken for itself");
  assert.deepEqual(count({ ...next, restarts: 5, resting: true }), [5, true]);
  assert.deepEqual(count(update("x")), [0, false], "the same life");
});

test("placement leaves out who rests, but never so that copies lack a place", () => {
  const resting = { resting: true, restarts: 3 };
  const table = [
    member("a", { ...resting, restarts: 4 }),
    member("b", resting),
    member("c", resting),
    member("d"),
    member("e"),
    member("f", { ...resting, leaving: true }),
  ];
  const placed = (replicas: number, members: readonly Member[] = table): string =>
    placementOf(members, 1000, { reassignDelayMs: 10_000, replicas })
      .map(({ id }) => id)
      .join("");
  assert.equal(placed(1), "de");
  assert.equal(placed(2), "de");
  assert.equal(placed(3), "bde", "the lowest id of the fewest restarts");
  assert.equal(placed(4), "bcde");
  assert.equal(placed(7), "abcde");
  assert.equal(placed(3, table.toReversed()), "bde");
  assert.equal(placed(2, [member("a", { ...resting, status: "dead" }), member("d")]), "ad");
});

test("what is said of oneself follows the count and the time", () => {
  const rest = new Rest(settings, 1000);
  assert.deepEqual(rest.at(1000), { restarts: 0, resting: false });
  assert.equal(rest.dueAt(rest.at(1000)), Infinity);
  rest.meet(5000);
  rest.learn(2, 5001);
  assert.deepEqual(rest.at(5001), { restarts: 2, resting: false });
  assert.equal(rest.dueAt(rest.at(5001)), 1000 + 10 * minuteMs);
  rest.learn(4, 6000);
  rest.learn(3, 6001);
  assert.deepEqual(rest.at(6001), { restarts: 4, resting: true });
  assert.equal(rest.dueAt(rest.at(6001)), 1000 + 2 * minuteMs);
  rest.meet(6900);
  rest.learn(9, 7001);
  assert.deepEqual(rest.at(7001), { restarts: 4, resting: true }, "learnt too late");
  assert.deepEqual(rest.at(1000 + 2 * minuteMs), { restarts: 4, resting: false });
  assert.deepEqual(rest.at(1000 + 10 * minuteMs), { restarts: 0, resting: false });
});

/** The statements about `node` in what a core sent to `to`. */
function told(
  effects: Parameters<typeof sent>[0],
  node: string,
  to: string = node,
): readonly MemberUpdate[] {
  return sent(effects).flatMap(({ to: receiver, message }) =>
    receiver === to && message.type === "gossip"
      ? message.updates.filter((statement) => statement.node === node)
      : [],
  );
}

test("whoever remembers the life before counts on, does not place the new one, and tells it", () => {
  const core = singleCore(["a", "b", "c"]);
  const ended = update("x", { restarts: 2, status: "dead", from: "a" });
  core.receive("a", { type: "gossip", updates: [ended] }, 100);
  const effects = core.linkUp(peer("x", 2048), 20_000);
  const { restarts, resting } = core.members.get("x")!;
  assert.deepEqual({ restarts, resting }, { restarts: 3, resting: true });
  assert.ok(!core.placementMembers(20_000).some(({ id }) => id === "x"));
  assert.deepEqual(
    told(effects, "x").map((statement) => [statement.boot, statement.restarts, statement.resting]),
    [[2048, 3, true]],
  );
  // The member has the last word.
  const word = update("x", { boot: 2048, refutations: 1, restarts: 1 });
  core.receive("x", { type: "gossip", updates: [word] }, 20_100);
  assert.equal(core.members.get("x")!.resting, false);
  assert.deepEqual(
    told(core.linkUp(peer("x", 2048), 20_200), "x"),
    [],
    "it need not be told again",
  );
});

test("a member that left in order is not counted, nor one that nobody remembers", () => {
  const core = singleCore(["a", "b", "c"]);
  const gone = update("x", { restarts: 2, status: "left", leaving: true, refutations: 2 });
  core.receive("x", { type: "gossip", updates: [gone] }, 100);
  for (const id of ["x", "y"]) {
    assert.deepEqual(told(core.linkUp(peer(id, 2048), 200), id), []);
    assert.equal(core.members.get(id)!.restarts, 0);
  }
});

/** Answers all pings, so that nobody is held dead. */
function liveUntil(core: ReturnType<typeof singleCore>, until: number): void {
  while (core.nextTickAt <= until) {
    const { to, sequence, at } = nextPing(core);
    core.receive(to, ack(sequence), at);
  }
}

test("a newcomer rests when it is told to, says when it has rested, and forgets in the end", () => {
  const core = singleCore();
  core.linkUp(peer("a"), 500);
  const tell = (restarts: number, refutations: number, now: number): void => {
    const resting = restMs(restarts, settings) > 0;
    const statement = update("me", { boot: 1024, refutations, restarts, resting, from: "a" });
    core.receive("a", { type: "gossip", updates: [statement] }, now);
  };
  const self = (): readonly unknown[] => [
    core.self.restarts,
    core.self.resting,
    core.self.refutations,
  ];
  tell(2, 0, 510);
  assert.deepEqual(self(), [2, false, 1]);
  tell(3, 0, 520);
  assert.deepEqual(self(), [3, true, 2], "the highest count stands");
  tell(2, 0, 530);
  tell(5, 0, 2600);
  assert.deepEqual(self(), [3, true, 2], "lower, and too late");
  liveUntil(core, minuteMs - 1);
  assert.equal(core.self.resting, true);
  liveUntil(core, minuteMs + 1000);
  assert.deepEqual(self(), [3, false, 3]);
  liveUntil(core, 10 * minuteMs - 1);
  assert.equal(core.self.restarts, 3);
  liveUntil(core, 10 * minuteMs + 1000);
  assert.deepEqual(self(), [0, false, 4]);
});

test("who says something else of this incarnation is corrected, and an accusation is refuted once", () => {
  const core = singleCore();
  core.linkUp(peer("a"), 0);
  const statement = update("me", { boot: 1024, restarts: 4, resting: true, from: "a" });
  core.receive("a", { type: "state", members: [statement], reply: false }, 5000);
  const { restarts, resting, refutations } = core.self;
  assert.deepEqual([restarts, resting, refutations], [0, false, 1], "learnt too late");
  const newcomer = singleCore();
  newcomer.linkUp(peer("a"), 0);
  const accusation: MemberUpdate = { ...statement, status: "suspect" };
  const effects = newcomer.receive("a", { type: "gossip", updates: [accusation] }, 100);
  assert.equal(effects.filter(({ type }) => type === "refuted").length, 1);
  assert.deepEqual(
    [newcomer.self.restarts, newcomer.self.resting, newcomer.self.refutations],
    [4, true, 1],
  );
});

test("a count out of bounds is not believed", () => {
  const core = singleCore(["a"]);
  for (const restarts of [-1, 0.5, 16]) {
    const effects = core.receive("a", { type: "gossip", updates: [update("x", { restarts })] }, 1);
    assert.ok(effects.some(({ type }) => type === "malformed"));
  }
  assert.equal(core.members.has("x"), false);
});

const downMs = 15_000;
const upMs = 20_000;

/** The next life of a node that crashes `upMs` after it came. */
function crashAndReturn(cluster: VirtualCluster, victim: VirtualNode, join: string): VirtualNode {
  cluster.crash(victim);
  cluster.run(downMs);
  const next = cluster.start(victim.id, [join]);
  cluster.run(upMs);
  return next;
}

/** How often the others have had another placement. */
function changesOfOthers(cluster: VirtualCluster, id: string): number {
  const others = cluster.running.filter((node) => node.id !== id);
  return others.reduce((sum, node) => sum + node.placementChanges, 0);
}

function placedBy(cluster: VirtualCluster): readonly string[] {
  const views = cluster.running.map(({ core }) =>
    core
      .placementMembers(cluster.now)
      .map(({ id }) => id.slice(-1))
      .join(""),
  );
  return [...new Set(views)];
}

test("the third comeback of a node in a crash loop moves nothing, and in the end it is placed", () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    const cluster = new VirtualCluster({ seed });
    let victim = cluster.startMany(5)[3]!;
    for (const restarts of [1, 2]) {
      victim = crashAndReturn(cluster, victim, "ws://node-000");
      assert.deepEqual(placedBy(cluster), ["01234"]);
      assert.equal(cluster.running[0]!.core.members.get(victim.id)?.restarts, restarts);
    }
    cluster.crash(victim);
    cluster.run(downMs);
    assert.deepEqual(placedBy(cluster), ["0124"]);
    const changes = changesOfOthers(cluster, victim.id);
    victim = cluster.start(victim.id, ["ws://node-000"]);
    cluster.run(upMs);
    // The fourth dies as it was: nobody need take anything over.
    victim = crashAndReturn(cluster, victim, "ws://node-001");
    assert.deepEqual(placedBy(cluster), ["0124"]);
    assert.equal(changesOfOthers(cluster, victim.id), changes);
    assert.ok(cluster.viewsAgree());
    cluster.run(2 * minuteMs - upMs - 1000);
    assert.deepEqual(placedBy(cluster), ["0124"]);
    cluster.run(2000);
    assert.deepEqual(placedBy(cluster), ["01234"]);
    cluster.run(8 * minuteMs);
    for (const { core } of cluster.running) assert.equal(core.members.get(victim.id)?.restarts, 0);
  }
});

test("a node that comes back through one that has just come back itself rests all the same", () => {
  const cluster = new VirtualCluster({ seed: 4 });
  const nodes = cluster.startMany(5);
  let victim = nodes[3]!;
  for (let count = 0; count < 2; count++) victim = crashAndReturn(cluster, victim, "ws://node-000");
  cluster.crash(victim);
  cluster.crash(nodes[4]!);
  cluster.run(downMs);
  cluster.start("node-004", ["ws://node-000"]);
  cluster.run(5000);
  assert.equal(cluster.nodes.get("node-004")!.core.members.has(victim.id), false);
  cluster.start(victim.id, ["ws://node-004"]);
  cluster.run(5000);
  assert.deepEqual(placedBy(cluster), ["0124"]);
});

test("one of three nodes is placed however often it restarts, when there are three copies", () => {
  const cluster = new VirtualCluster({ seed: 2 });
  let victim = cluster.startMany(3)[1]!;
  for (let count = 0; count < 5; count++) {
    victim = crashAndReturn(cluster, victim, "ws://node-000");
    assert.deepEqual(placedBy(cluster), ["012"]);
  }
  assert.equal(victim.core.self.resting, true);
  // With a fourth there are enough.
  cluster.start("node-003", ["ws://node-000"]);
  cluster.run(2000);
  assert.deepEqual(placedBy(cluster), ["023"]);
});

test("a node that leaves in order and comes back is never made to rest", () => {
  const cluster = new VirtualCluster({ seed: 3 });
  let node = cluster.startMany(4)[2]!;
  for (let count = 0; count < 5; count++) {
    node.perform(node.core.leaving(cluster.now));
    cluster.run(1000);
    node.perform(node.core.leave(cluster.now));
    cluster.run(300);
    cluster.sayGoodbye(node);
    node = cluster.start(node.id, ["ws://node-000"]);
    cluster.run(5000);
    assert.deepEqual(placedBy(cluster), ["0123"]);
    assert.equal(node.core.self.restarts, 0);
  }
});
