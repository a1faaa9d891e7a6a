/** What a client says when it closes: whether anything that it sent may still arrive somewhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import type { GoodbyeMessage } from "../../src/wire/messages.ts";
import { FakeCluster, type Functions } from "./fake-node.ts";
import { refusal } from "./outcomes.ts";

type Story = (cluster: FakeCluster, client: Client<Functions>) => Promise<unknown>;

/** How the client says goodbye to each node that it is linked with, once this has happened. */
async function reasonsAfter(story: Story, protection = true): Promise<string[]> {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect({ protection });
  await story(cluster, client);
  await cluster.time.settled(client.close());
  await cluster.time.sleep(10);
  return cluster.nodes.flatMap(({ name, other }) =>
    other
      .filter((message): message is GoodbyeMessage => message.type === "goodbye")
      .map(({ reason }) => `${name} ${reason}`),
  );
}

const visit = (cluster: FakeCluster, client: Client<Functions>): Promise<unknown> =>
  cluster.time.settled(client.get("cart", "alice").visit());

test("a client whose calls were all answered is done, to every node that it is linked with", async () => {
  assert.deepEqual(await reasonsAfter(() => Promise.resolve()), ["a done"]);
  assert.deepEqual(await reasonsAfter(visit), ["a done"]);
  const linkedWithTwo: Story = async (cluster, client) => {
    await visit(cluster, client);
    cluster.move(["b", "a", "c"], "a");
    await cluster.time.sleep(10);
    await visit(cluster, client);
  };
  assert.deepEqual(await reasonsAfter(linkedWithTwo), ["a done", "b done"]);
});

test("refusals that say what became of the call leave nothing behind", async () => {
  const codes = [
    "invalid_argument",
    "not_owner",
    "unavailable",
    "aborted",
    "degraded_offered",
  ] as const;
  for (const code of codes) {
    const story: Story = async (cluster, client) => {
      let refusedCount = 0;
      cluster.node("a").answer = () =>
        refusedCount++ === 0 ? { type: "failure", code } : FakeCluster.value(1);
      await cluster.time.settled(
        client
          .get("cart", "alice")
          .visit()
          .catch(() => undefined),
      );
    };
    const reasons = await reasonsAfter(story);
    assert.ok(reasons.length > 0 && reasons.every((reason) => reason.endsWith(" done")), code);
  }
});

const unanswered: Readonly<Record<string, Story>> = {
  "one that is under way": async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    client
      .get("cart", "alice")
      .visit()
      .catch(() => undefined);
    await cluster.until(() => cluster.node("a").calls.length === 1);
  },
  "one whose link broke, though another node has answered it": async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    const call = client.get("cart", "alice").visit();
    await cluster.until(() => cluster.node("a").calls.length === 1);
    cluster.node("a").crash();
    await cluster.time.settled(call);
  },
  "one whose outcome a node does not know, though it was answered later": async (
    cluster,
    client,
  ) => {
    const a = cluster.node("a");
    a.answer = () =>
      a.calls.length === 1 ? { type: "failure", code: "indeterminate" } : FakeCluster.value(1);
    await visit(cluster, client);
  },
  "one that a node has lost while passing it on": async (cluster, client) => {
    const a = cluster.node("a");
    const lost = { type: "failure", code: "unavailable", indeterminate: true } as const;
    a.answer = () => (a.calls.length === 1 ? lost : FakeCluster.value(1));
    await visit(cluster, client);
  },
  "one that ran out of time": async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    await refusal(cluster, client.get("cart", "alice").with({ timeoutMs: 100 }).visit());
  },
  "one that was called off": async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    const abort = new AbortController();
    const call = client.get("cart", "alice").with({ signal: abort.signal }).visit();
    await cluster.until(() => cluster.node("a").calls.length === 1);
    abort.abort();
    await refusal(cluster, call);
  },
  "one that was sent again because somebody else leads its key": async (cluster, client) => {
    const a = cluster.node("a");
    await visit(cluster, client);
    a.answer = () => undefined;
    const call = client.get("cart", "alice").visit();
    await cluster.until(() => a.calls.length === 2);
    await cluster.time.sleep(600);
    cluster.move(["b", "a", "c"], "a");
    await cluster.time.settled(call);
  },
};
for (const [what, story] of Object.entries(unanswered)) {
  test(`a client is not done after ${what}`, async () => {
    const withLater: Story = async (cluster, client) => {
      await story(cluster, client);
      cluster.nodes.forEach((node) => (node.answer = () => FakeCluster.value(1)));
      if (what !== "one that is under way") await visit(cluster, client);
    };
    const reasons = await reasonsAfter(withLater);
    assert.ok(reasons.length > 0);
    assert.ok(
      reasons.every((reason) => reason.endsWith(" closed")),
      reasons.join(),
    );
  });
}

test("calls that no entity keeps results of do not matter", async () => {
  const lateQuery: Story = async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    await refusal(cluster, client.get("cart", "alice").with({ timeoutMs: 100 }).total());
  };
  assert.deepEqual(await reasonsAfter(lateQuery), ["a done"]);
  const lateVisit: Story = async (cluster, client) => {
    cluster.node("a").answer = () => undefined;
    await refusal(cluster, client.get("cart", "alice").with({ timeoutMs: 100 }).visit());
  };
  assert.deepEqual(await reasonsAfter(lateVisit, false), ["a done"]);
});
