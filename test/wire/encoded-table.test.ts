import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeTable } from "../../src/wire/encoded-table.ts";
import type { TableMessage } from "../../src/wire/messages.ts";
import { callMessage, Link } from "./link.ts";

const table: TableMessage = {
  type: "table",
  version: 3,
  tableId: 77,
  partitionCount: 2,
  members: [{ id: "a", address: "ws://127.0.0.1:7400", boot: 5 }],
  full: true,
  owners: [
    { partition: 0, members: [0] },
    { partition: 1, members: [] },
  ],
  functions: [
    {
      ...{ name: "cart", handlers: ["add"], queries: ["total"] },
      ...{ whenSplit: "serve", acks: 2, deadlineMs: 30_000, stateless: true },
    },
  ],
};

test("a table that is encoded once arrives on every link as if it had been written there", () => {
  const encoded = encodeTable(table);
  for (const before of [[], [callMessage()]]) {
    const link = new Link();
    for (const message of before) link.encoder.write(message);
    link.encoder.writeTable(encoded);
    link.encoder.write({ type: "goodbye", reason: "leaving" });
    const frame = link.encoder.take() ?? assert.fail("nothing was written");
    const other = new Link();
    const [written] = other.frames([...before, table, { type: "goodbye", reason: "leaving" }]);
    assert.deepEqual(frame, written);
  }
});

test("a table that is too large for the link is refused, and nothing of it is sent", () => {
  const link = new Link("control");
  const payload = new Uint8Array(1024 * 1024);
  assert.throws(
    () => {
      link.encoder.writeTable({ payload });
    },
    { code: "too_large" },
  );
  assert.equal(link.encoder.take()?.length ?? 0, 0);
});
