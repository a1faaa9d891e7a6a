/** Copies of partitions that are larger than any message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutImage, ImageAssembly } from "../../src/node/partitions/image-pieces.ts";
import type { CopyImage, ImageMessage, ImagePiece } from "../../src/wire/replication-messages.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

const term = { number: 3, process: "a#1" };
const from = "a#1";

/** A base with entities and tail commits of these sizes. */
function base(entities: readonly number[], tail: readonly number[]): ImageMessage {
  const copy: CopyImage = {
    genesis: "g",
    synced: term,
    position: 7,
    committed: 5,
    owners: { processes: [from], position: 0, previous: [] },
    newMark: 0,
    entities: entities.map((size, index) => ({
      name: `ledger/${String(index)}`,
      image: new Uint8Array(size),
    })),
    tail: tail.map((size, index) => ({
      position: index,
      commit: { entity: "ledger/0", writer: 1, sequence: index, delta: new Uint8Array(size) },
    })),
    from: undefined,
  };
  return { type: "base", term, copy };
}

/** Gives the parts to an assembly, and returns what comes out of it. */
function join(assembly: ImageAssembly, parts: readonly (ImageMessage | ImagePiece)[]): unknown[] {
  return parts
    .map((message) => assembly.take(from, { partition: 1, message }))
    .filter((whole) => whole !== undefined);
}

test("an image that was cut comes out of its pieces as it was, whatever its parts", () => {
  const sizes = fc.array(fc.nat(300), { maxLength: 20 });
  fc.assert(
    fc.property(sizes, sizes, fc.integer({ min: 1, max: 1_000 }), (entities, tail, pieceBytes) => {
      const message = base(entities, tail);
      const parts = cutImage(message, 1, pieceBytes);
      assert.deepEqual(join(new ImageAssembly(), parts), [message]);
      const rests = parts.filter((part) => part.type !== "piece" || part.rest !== undefined);
      assert.deepEqual(rests, parts.slice(-1), "only the last one brings the message itself");
    }),
  );
});

test("a small image crosses as it is", () => {
  const message = base([10], [10]);
  assert.deepEqual(cutImage(message, 1, 1_000), [message]);
});

test("an image that misses a piece is lost, and the next one is not", () => {
  const parts = cutImage(base([50, 50, 50, 50], []), 1, 60);
  assert.ok(parts.length >= 3);
  for (const lost of parts.keys()) {
    const assembly = new ImageAssembly();
    assert.deepEqual(join(assembly, parts.toSpliced(lost, 1)), []);
    const next = base([60, 60], [60]);
    assert.deepEqual(join(assembly, cutImage(next, 2, 60)), [next]);
  }
});

test("pieces of two images never make one", () => {
  const first = cutImage(base([50, 50, 50], []), 1, 60);
  const second = cutImage(base([51, 51, 51], []), 2, 60);
  const assembly = new ImageAssembly();
  assert.deepEqual(join(assembly, [...first.slice(0, 1), ...second.slice(1)]), []);
});

test("a link that breaks ends the images that were under way over it", () => {
  const parts = cutImage(base([50, 50, 50], []), 1, 60);
  const assembly = new ImageAssembly();
  join(assembly, parts.slice(0, 1));
  assembly.drop(from);
  assert.deepEqual(join(assembly, parts.slice(1)), []);
});

test("a partition larger than any message is copied to a node that joins", async () => {
  const cluster = new VirtualCluster(1);
  const settings = { partitionCount: 1, replicas: 3 };
  await cluster.form(["a"], settings);
  const text = "x".repeat(500_000);
  // 20 MB; a message has at most 16 MiB.
  const keys = Array.from({ length: 40 }, (_, index) => `big-${String(index)}`);
  const client = await cluster.client("client-1", ["a"]);
  for (const key of keys) await cluster.settled(client.get("ledger", key).keep(text));
  await cluster.start("b", settings);
  await cluster.until("b is an owner", () => cluster.isWhole, 60_000);
  for (const key of keys) {
    const copies = ["a", "b"].map((host) =>
      cluster.node(host).parts.partitions.replica(0)?.committedEntity(`ledger/${key}`),
    );
    assert.equal(copies[1]?.digest, copies[0]?.digest, key);
  }
  assert.deepEqual(cluster.lines("error"), []);
  await cluster.end();
});
