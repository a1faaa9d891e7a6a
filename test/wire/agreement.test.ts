import assert from "node:assert/strict";
import { test } from "node:test";
import { agree, negotiate, protocolMax, protocolMin } from "../../src/wire/agreement.ts";
import type { LocalSide, RemoteSide } from "../../src/wire/agreement.ts";
import type { NodeIdentity } from "../../src/wire/messages.ts";

const node: NodeIdentity = {
  id: "a",
  boot: 1,
  address: "ws://a",
  zone: "",
  weight: 1,
  settings: { partitionCount: 1024, replicas: 3, placementVersion: 1 },
};
const mine: LocalSide = { cluster: "prod", node };
const theirs: RemoteSide = {
  protocolMin,
  protocolMax,
  cluster: "prod",
  node: { ...node, id: "b" },
};

test("the highest version that both speak is taken", () => {
  const range = (min: number, max: number) => ({ protocolMin: min, protocolMax: max });
  assert.equal(negotiate(range(1, 3), range(2, 5)), 3);
  assert.equal(negotiate(range(2, 5), range(1, 3)), 3);
  assert.equal(negotiate(range(1, 1), range(1, 1)), 1);
  assert.equal(negotiate(range(1, 2), range(3, 4)), undefined);
  assert.equal(negotiate(range(3, 4), range(1, 2)), undefined);
  assert.equal(negotiate({ protocolMin, protocolMax }), protocolMax);
});

test("equals agree", () => {
  assert.equal(agree(mine, theirs), undefined);
});

test("a protocol without a common version is refused first", () => {
  const refused = agree(mine, { ...theirs, protocolMin: 8, protocolMax: 9, cluster: "other" });
  assert.equal(refused?.code, "protocol_mismatch");
  assert.match(refused.message, /^you speak protocol 8 to 9, this node 7: upgrade/);
});

test("another cluster is refused and both names are told", () => {
  const refused = agree(mine, { ...theirs, cluster: "dev" });
  assert.equal(refused?.code, "cluster_mismatch");
  assert.match(refused.message, /"dev".*"prod"/);
});

test("a client may leave the cluster open, a node may not", () => {
  const { node: _, ...client } = theirs;
  assert.equal(agree(mine, { ...client, cluster: "" }), undefined);
  assert.equal(agree(mine, client), undefined);
  assert.equal(agree(mine, { ...client, cluster: "dev" })?.code, "cluster_mismatch");
  assert.equal(agree(mine, { ...theirs, cluster: "" })?.code, "cluster_mismatch");
});

test("a setting that differs is named with both values", () => {
  for (const [setting, name] of [
    ["partitionCount", "partitionCount is 256 here and 1024 in the cluster"],
    ["replicas", "replicas is 256 here and 3 in the cluster"],
    ["placementVersion", "placementVersion"],
  ] as const) {
    const settings = { ...node.settings, [setting]: 256 };
    const refused = agree(mine, { ...theirs, node: { ...node, settings } });
    assert.equal(refused?.code, "settings_mismatch");
    assert.ok(refused.message.startsWith(name), refused.message);
  }
});
