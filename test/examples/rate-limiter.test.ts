import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCluster, type TestCluster } from "latticework/testing";
import {
  functions,
  limits,
  type Answer,
  type Functions,
} from "../../examples/rate-limiter/functions.ts";
import { runExample } from "./run-example.ts";

const { limit, windowMs } = limits.login;

async function takeMany(cluster: TestCluster<Functions>, count: number): Promise<Answer[]> {
  const login = cluster.client.get("login", "ann");
  const answers: Answer[] = [];
  while (answers.length < count) answers.push(await login.take());
  return answers;
}

test("so many are allowed, then none until the first has left the window", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 41 });
  const answers = await takeMany(cluster, limit + 1);
  assert.deepEqual(
    answers.map(({ allowed, remaining }) => [allowed, remaining]),
    [
      [true, 2],
      [true, 1],
      [true, 0],
      [false, 0],
    ],
  );
  const { retryAfterMs } = answers.at(-1)!;
  assert.ok(retryAfterMs > 0 && retryAfterMs <= windowMs, String(retryAfterMs));
  await cluster.advance(retryAfterMs);
  assert.equal((await takeMany(cluster, 1))[0]?.allowed, true);
});

test("the window slides: what was allowed late in it still counts in the next one", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 42 });
  await takeMany(cluster, 1);
  await cluster.advance(windowMs - 200);
  await takeMany(cluster, limit - 1);
  await cluster.advance(300);
  const answers = await takeMany(cluster, 2);
  assert.deepEqual(
    answers.map(({ allowed }) => allowed),
    [true, false],
  );
});

test("keys do not share a limit, nor do limits share a key", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 43 });
  await takeMany(cluster, limit);
  assert.equal((await cluster.client.get("login", "bob").take()).allowed, true);
  const search = await cluster.client.get("search", "ann").take();
  assert.equal(search.remaining, limits.search.limit - 1);
});

test("many callers at once get exactly the limit, and the state never holds more", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 44 });
  for (let round = 0; round < 5; round++) {
    const login = cluster.client.get("login", "ann");
    const answers = await Promise.all(Array.from({ length: 20 }, () => login.take()));
    assert.equal(answers.filter(({ allowed }) => allowed).length, limit);
    for await (const { grants } of login.watch()) {
      assert.equal(Object.keys(grants).length, limit);
      break;
    }
    await cluster.advance(windowMs);
  }
});

test("a limit that is used up stays so when the primary dies", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 45 });
  await takeMany(cluster, limit);
  cluster.crash(cluster.primaryOf("login", "ann"));
  assert.equal((await takeMany(cluster, 1))[0]?.allowed, false);
});

test("the program of the rate limiter allows, refuses and allows again", async () => {
  const output = await runExample("rate-limiter");
  assert.match(output, /^ {2}phone +allowed, 2 left$/m);
  assert.match(output, /later\n {2}phone +allowed/);
});
