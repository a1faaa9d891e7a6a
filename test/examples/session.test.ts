import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCluster } from "latticework/testing";
import { functions } from "../../examples/session/functions.ts";
import { runExample } from "./run-example.ts";

const any = { readFrom: "any" } as const;

test("what a session has written is there for whoever goes on with its token, and only for him", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 51 });
  const phone = await cluster.connect({ session: true });
  await phone.get("notes", "ann").write({ id: "1", text: "buy tea" });
  await cluster.advance(100);
  const primary = cluster.primaryOf("notes", "ann");
  const [lagging = "", ...others] = cluster.ownersOf("notes", "ann").filter((id) => id !== primary);
  cluster.split([lagging], [primary, ...others]);
  await phone.get("notes", "ann").write({ id: "2", text: "call Bob" });

  const laptop = await cluster.connect({ token: phone.token() });
  const stranger = await cluster.connect();
  let olderCount = 0;
  for (let read = 0; read < 30; read++) {
    assert.equal((await laptop.get("notes", "ann").with(any).texts()).length, 2);
    if ((await stranger.get("notes", "ann").with(any).texts()).length < 2) olderCount += 1;
  }
  assert.ok(olderCount > 0, "the owner that lags was asked");
});

test("the example tells of two devices", async () => {
  const output = await runExample("session");
  assert.match(output, /phone {2}wrote a note; its token has \d+ characters/);
  assert.match(output, /laptop read 200 times on [123] nodes: 0 times without the note/);
});
