/** What the nodes of a cluster tell of what happens to them, on virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LatticeNode } from "../../src/node/lattice-node.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { partitionEvents } from "../../src/node/node-events.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";
import { functions } from "./support/functions.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

type Told<T extends NodeEvent["type"]> = Extract<NodeEvent, { readonly type: T }>;

/** What a node tells from now on, and whether it has ended. */
class Recording {
  readonly events: NodeEvent[] = [];
  isOver = false;

  constructor(node: LatticeNode) {
    const reader = node.events();
    void (async () => {
      for await (const event of reader) this.events.push(event);
      this.isOver = true;
    })();
  }

  of<T extends NodeEvent["type"]>(type: T): readonly Told<T>[] {
    return this.events.filter((event): event is Told<T> => event.type === type);
  }

  /** Types, and names of members, of what concerns members. */
  get members(): readonly string[] {
    return this.events.flatMap((event) =>
      event.type.startsWith("member.") && "node" in event ? [`${event.type} ${event.node}`] : [],
    );
  }
}

void test("a node that joins is told of, with the table and the owners that change for it", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b"]);
  const record = new Recording(cluster.node("a"));
  const { platform } = await cluster.start("c");
  await cluster.until("whole", () => cluster.isWhole && cluster.isHome, 60_000);
  await cluster.sleep(5_000);
  const { boot, address } = cluster.node("c").identity;
  const [joined] = record.events;
  assert.ok(joined !== undefined);
  assert.deepEqual(joined, { type: "member.joined", at: joined.at, node: "c", boot, address });
  assert.ok(joined.at > platform.clock.wallNow() - 60_000 && joined.at < platform.clock.wallNow());
  const table = record.of("placement.changed");
  assert.deepEqual(
    table.map(({ memberCount, tableId }) => [memberCount, tableId]),
    [[3, cluster.node("a").parts.routes.tableId]],
  );
  assert.equal(table[0]!.movedCount, 64, "three of three own everything");
  const { primaries } = cluster.node("a").status();
  for (const { partition } of primaries) {
    const changes = record.of("owners.changed").filter((event) => event.partition === partition);
    assert.deepEqual(changes.at(-1)?.owners.length, 3);
    assert.ok(changes.some(({ added }) => added.includes(cluster.node("c").parts.self)));
  }
  // What it gave to the newcomer has ended here.
  const ledByC = cluster
    .node("c")
    .status()
    .primaries.map(({ partition }) => partition);
  const ended = record.of("primary.ended").map(({ partition }) => partition);
  assert.ok(
    ended.length > 0 &&
      ended.every((partition) => !primaries.some((p) => p.partition === partition)),
  );
  assert.ok(ended.some((partition) => ledByC.includes(partition)));
  await cluster.end();
  assert.equal(record.isOver, true);
});

void test("a crash is a dead member, roles that move, and copies that lack until none does", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c", "d"]);
  const record = new Recording(cluster.node("a"));
  const lost = cluster.node("d").parts.self;
  const before = new Set(
    cluster
      .node("a")
      .status()
      .primaries.map(({ partition }) => partition),
  );
  cluster.crash("d");
  await cluster.until("whole", () => cluster.isWhole, 60_000);
  await cluster.sleep(5_000);
  assert.ok(record.members.includes("member.dead d"), record.members.join());
  const began = record.of("primary.began");
  assert.ok(began.length > 0 && began.every(({ term }) => term > 1));
  assert.ok(began.every(({ partition }) => !before.has(partition)));
  assert.ok(record.of("owners.changed").some(({ removed }) => removed.includes(lost)));
  assert.equal(record.of("placement.changed").at(-1)?.memberCount, 3);
  const counts = record.of("underReplicated.changed").map(({ partitionCount }) => partitionCount);
  assert.ok(Math.max(...counts) >= before.size / 2, counts.join());
  assert.equal(counts.at(-1), 0, counts.join());
  assert.deepEqual(cluster.node("a").status().underReplicated, []);
  await cluster.end();
});

void test("a member that stalls is suspected and refuted, and is told that it was accused", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 3 });
  const seen = cluster.node("node-1").events();
  const own = cluster.node("node-3").events();
  cluster.pause("node-3");
  const types: string[] = [];
  for await (const event of seen) {
    if (!("node" in event)) continue;
    types.push(`${event.type} ${event.node}`);
    if (event.type === "member.suspected") cluster.resume("node-3");
    if (event.type === "member.refuted") {
      assert.equal(event.was, "suspect");
      break;
    }
  }
  assert.deepEqual(types, ["member.suspected node-3", "member.refuted node-3"]);
  for await (const event of own) {
    if (event.type !== "node.accused") continue;
    assert.match(event.accuser, /^node-[1245]$/);
    break;
  }
});

void test("a node that leaves is leaving, then left, for the others and for itself", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  const record = new Recording(cluster.node("a"));
  const own = new Recording(cluster.node("c"));
  const led = cluster.node("c").status().primaries.length;
  await cluster.settled(cluster.node("c").leave());
  cluster.nodes.delete("c");
  await cluster.until("whole", () => cluster.isWhole, 60_000);
  assert.deepEqual(record.members, ["member.leaving c", "member.left c"]);
  assert.deepEqual(own.members, ["member.leaving c", "member.left c"]);
  assert.equal(own.of("primary.ended").length, led);
  assert.equal(own.isOver, true);
  assert.equal(record.isOver, false);
  await cluster.end();
});

void test("a split is service without a majority, and its heal merges what was done", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 5 });
  const events = cluster.node("node-1").events();
  cluster.split(["node-1"], ["node-2", "node-3"]);
  await cluster.node("node-1").get("ledger", "k").add(5);
  await cluster.advance(1_000);
  cluster.heal();
  await cluster.settled();
  const degraded = new Set<number>();
  let merged: Told<"fork.merged"> | undefined;
  for await (const event of events) {
    if (event.type === "degraded.began") degraded.add(event.partition);
    if (event.type === "degraded.ended") assert.ok(degraded.delete(event.partition));
    if (event.type === "fork.merged") merged = event;
    if (merged !== undefined && degraded.size === 0) break;
  }
  assert.equal(merged?.commitCount, 1);
  assert.equal(await cluster.client.get("ledger", "k").total(), 5);
});

void test("a call that is refused for good is told, to the log and to readers", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a"]);
  const record = new Recording(cluster.node("a"));
  const client = await cluster.client("client", ["a"]);
  await cluster.settled(client.get("ledger", "k").misdirect("elsewhere"));
  await cluster.until("it is refused", () => record.of("outbox.failed").length > 0);
  const [failed] = record.of("outbox.failed");
  const { at: _, type, ...fields } = failed!;
  assert.deepEqual(fields, {
    sender: "ledger/k",
    id: fields.id,
    target: "ledger/elsewhere",
    operation: "refuse",
    code: "failed_precondition",
    message: fields.message,
    call: fields.call,
    traceId: fields.traceId,
  });
  assert.match(fields.message, /as asked/);
  assert.match(fields.id, /^\w+-\w+$/);
  assert.match(fields.call, /^@\w+:ledger\/k:\d+$/);
  assert.match(fields.traceId ?? "", /^[0-9a-f]{32}$/);
  const lines = cluster.lines("warn").filter(({ message }) => message === type);
  assert.deepEqual(
    lines.map((line) => line.fields),
    [fields],
  );
  await cluster.end();
});

void test("a second node of one id is told of by those who refuse it", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a", "b"]);
  const record = new Recording(cluster.node("a"));
  const twin = await cluster.begin("twin", { nodeId: "b", join: [cluster.address("a")] });
  await cluster.until("it gives up", () => twin.failed !== undefined, 10_000);
  const [duplicate] = record.of("node.duplicate");
  assert.equal(duplicate?.node, "b");
  assert.equal(duplicate.address, cluster.address("twin"));
  assert.match(duplicate.message, /b is in use by another process/);
  cluster.nodes.delete("twin");
  await cluster.end();
});

void test("a copy that differed is told", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a"]);
  const record = new Recording(cluster.node("a"));
  partitionEvents(cluster.node("a").parts).diverged(3, "b#1");
  await cluster.sleep(1);
  const [diverged] = record.of("diverged");
  assert.deepEqual(diverged, { type: "diverged", at: diverged?.at, partition: 3, primary: "b#1" });
  await cluster.end();
});

void test("events end with a simulated node that is killed, and begin anew with its next life", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 9 });
  const old = cluster.node("node-2").events();
  cluster.crash("node-2");
  assert.deepEqual(await old.next(), { done: true, value: undefined });
  assert.throws(() => cluster.node("node-2").events(), /does not run/);
  await cluster.restart("node-2");
  const events = cluster.node("node-2").events();
  cluster.crash("node-3");
  for await (const event of events) if (event.type === "member.dead") break;
});

void test("events are plain data, and the same for the same seed", async () => {
  const run = async (): Promise<readonly NodeEvent[]> => {
    const cluster = new VirtualCluster(10);
    await cluster.form(["a", "b", "c"]);
    const record = new Recording(cluster.node("a"));
    cluster.crash("c");
    await cluster.sleep(20_000);
    await cluster.end();
    return record.events;
  };
  const events = await run();
  assert.ok(events.length > 10);
  assert.deepEqual(JSON.parse(JSON.stringify(events)), events);
  const times = events.map(({ at }) => at);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.deepEqual(await run(), events);
});
