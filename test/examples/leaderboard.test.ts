import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCluster } from "latticework/testing";
import { functions, topOf } from "../../examples/leaderboard/functions.ts";
import { runExample } from "./run-example.ts";

test("the best score of a player stands, whatever is submitted later", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 51 });
  const board = cluster.client.get("leaderboard", "pinball");
  assert.equal(await board.submit({ player: "ann", score: 30 }), true);
  assert.equal(await board.submit({ player: "bob", score: 40 }), true);
  assert.equal(await board.submit({ player: "ann", score: 20 }), false);
  assert.equal(await board.submit({ player: "ann", score: 50 }), true);
  assert.deepEqual(await board.top(10), [
    { rank: 1, player: "ann", score: 50 },
    { rank: 2, player: "bob", score: 40 },
  ]);
  assert.equal((await board.top(1)).length, 1);
});

test("equal scores share a rank, and the next one is behind both", () => {
  const places = topOf(Object.entries({ cid: 7, bob: 9, ann: 9, dee: undefined }), 4);
  assert.deepEqual(
    places.map(({ rank, player }) => `${rank} ${player}`),
    ["1 ann", "1 bob", "3 cid", "4 dee"],
  );
});

test("who watches sees the first places change", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 52 });
  const board = cluster.client.get("leaderboard", "pinball");
  await board.submit({ player: "ann", score: 10 });
  const seen: string[] = [];
  for await (const { best } of board.watch()) {
    seen.push(topOf(Object.entries(best), 1)[0]?.player ?? "");
    if (seen.length === 2) break;
    await board.submit({ player: "bob", score: 20 });
  }
  assert.deepEqual(seen, ["ann", "bob"]);
});

test("where both sides of a split took a score, the higher one stands", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 53 });
  const alone = cluster.primaryOf("leaderboard", "pinball");
  const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== alone);
  cluster.split([alone], others);
  const [here, there] = [alone, others[0]!].map((id) =>
    cluster.node(id).get("leaderboard", "pinball"),
  );
  await Promise.all([
    here!.submit({ player: "ann", score: 70 }),
    there!.submit({ player: "ann", score: 60 }),
  ]);
  cluster.heal();
  await cluster.settled();
  const top = await cluster.client.get("leaderboard", "pinball").top(1);
  assert.deepEqual(top, [{ rank: 1, player: "ann", score: 70 }]);
});

test("the program of the leaderboard ends with zoe first", async () => {
  const output = await runExample("leaderboard");
  assert.match(output, /^live, the first three:\n {2}/m);
  assert.match(output, /^at the end, all of them:\n {2}1\. zoe +1000$/m);
});
