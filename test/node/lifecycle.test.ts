import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualCluster } from "./support/virtual-cluster.ts";

void test("a node that stopped leaves no timer and no connection behind", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a"]);
  await cluster.settled(client.get("ledger", "k").add(1));
  await cluster.settled(client.close());
  await cluster.end();
  const from = cluster.time.now;
  assert.equal(await cluster.time.run({ untilAt: from + 60_000, condition: () => false }), "idle");
  assert.ok(cluster.time.now - from < 5_000, `${String(cluster.time.now - from)} ms of timers`);
  assert.equal(cluster.network.connectionCount(), 0);
});

void test("a node that stops amid dialling leaves nothing behind either", async () => {
  const cluster = new VirtualCluster(2);
  const { node } = await cluster.begin("a", { join: [cluster.address("nobody")] });
  cluster.network.cut("a", "nobody");
  await cluster.sleep(500);
  await cluster.settled(node.stop());
  const from = cluster.time.now;
  assert.equal(await cluster.time.run({ untilAt: from + 60_000, condition: () => false }), "idle");
  assert.ok(cluster.time.now - from < 5_000);
});

void test("a second node of one id is refused, and the first serves on", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a", "b", "c"]);
  const twin = await cluster.begin("twin", { nodeId: "b", join: [cluster.address("a")] });
  await cluster.until("it gives up", () => twin.failed !== undefined, 10_000);
  assert.equal(twin.failed!.code, "failed_precondition");
  assert.match(twin.failed!.message, /b is in use by another process/);
  await cluster.sleep(5_000);
  assert.equal(cluster.nodes.get("b")!.failed, undefined);
  const { members } = cluster.node("a").status();
  assert.equal(members.find(({ id }) => id === "b")?.status, "alive");
  cluster.nodes.delete("twin");
  await cluster.until("whole", () => cluster.isWhole);
  await cluster.end();
});

void test("a node whose clock was set back takes a later boot id than the one remembered", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  const { boot } = cluster.node("b").identity;
  cluster.crash("b");
  await cluster.sleep(3_000);
  const again = await cluster.begin(
    "b",
    { join: [cluster.address("a"), cluster.address("c")] },
    -3_600_000,
  );
  await cluster.until("whole", () => cluster.isWhole, 60_000);
  assert.equal(again.failed, undefined);
  assert.ok(again.node.identity.boot > boot);
  assert.ok(
    cluster.lines("warn", "b").some(({ message }) => message.includes("boot id is raised")),
  );
  await cluster.end();
});

void test("a process that finds a later life of itself running stops", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a", "b", "c"]);
  const old = cluster.nodes.get("b")!;
  // Cut off from the others while a new process takes its name elsewhere.
  for (const other of ["a", "c"]) cluster.network.cut("b", other);
  await cluster.sleep(15_000);
  cluster.nodes.delete("b");
  await cluster.start("elsewhere", { nodeId: "b", join: [cluster.address("a")] });
  cluster.network.healAll();
  await cluster.until("it stops", () => old.failed !== undefined, 120_000);
  assert.match(old.failed!.message, /later start of b/);
  await cluster.until("whole", () => cluster.isWhole, 60_000);
  await cluster.end();
});

void test("a node of another cluster is told so and gives up", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a"]);
  const stranger = await cluster.begin("s", { cluster: "other", join: [cluster.address("a")] });
  await cluster.until("it gives up", () => stranger.failed !== undefined, 5_000);
  assert.equal(stranger.failed!.code, "incompatible");
  assert.match(stranger.failed!.message, /"other".*"default"/);
  cluster.nodes.delete("s");
  await cluster.end();
});

void test("hundreds of partitions that change hands are one line of the log", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a", "b", "c"], { partitionCount: 256 });
  const before = cluster.lines("info").length;
  cluster.crash("c");
  await cluster.until("taken over", () => cluster.node("a").status().degraded.length === 0, 30_000);
  await cluster.sleep(20_000);
  const lines = cluster.lines("info").slice(before);
  assert.ok(lines.some(({ message }) => message === "partitions changed hands"));
  assert.ok(
    lines.some(({ message, fields }) => message === "members: dead" && fields["count"] === 1),
  );
  assert.ok(lines.length < 20, lines.map(({ message }) => message).join("\n"));
  await cluster.end();
});

void test("a restarted node gets its partitions back and the others let go of what they need not", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a", "b", "c", "d"]);
  const client = await cluster.client("client", ["a"]);
  for (let i = 0; i < 50; i++) await cluster.settled(client.get("ledger", `k${String(i)}`).add(i));
  cluster.crash("d");
  await cluster.sleep(1_000);
  await cluster.start("d", { join: [cluster.address("a")] });
  await cluster.until("whole", () => cluster.isWhole, 60_000);
  await cluster.until("everything is home", () => cluster.isHome, 120_000);
  await cluster.sleep(70_000);
  const copies = ["a", "b", "c", "d"].map((host) => cluster.node(host).status().copies);
  assert.equal(
    copies.reduce((sum, n) => sum + n, 0),
    3 * 64,
  );
  for (let i = 0; i < 50; i++) {
    assert.equal(await cluster.settled(client.get("ledger", `k${String(i)}`).total()), i);
  }
  await cluster.end();
});

void test("a cluster is not told whole while a node that came back holds nothing", async () => {
  const cluster = new VirtualCluster(21);
  await cluster.form(["a", "b", "c"]);
  const lacking = (): number =>
    [...cluster.nodes.values()].flatMap(({ node }) => node.status().underReplicated).length;
  cluster.crash("c");
  await cluster.until("two are enough", () => lacking() === 0 && cluster.isWhole, 60_000);
  const { node } = await cluster.begin("c", { join: [cluster.address("a")] });
  const knows = (host: string): boolean =>
    cluster.node(host).parts.cluster.members.get("c")?.status === "alive";
  await cluster.until("c is known", () => knows("a") && knows("b"));
  await cluster.until("nothing is said to lack a copy", () => lacking() === 0, 60_000);
  assert.equal(node.status().copies, 64);
  await cluster.end();
});
