/** A load generator that dies is a defect of its proof, and not a claim that falls short. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { ForkedGenerator } from "./forked-generator.ts";

const program = `process.on("message", ({ how }) => {
  if (how === "later") {
    process.send({ type: "done" });
    setImmediate(() => process.exit(7));
  } else process.exit(8);
});
`;

type Generator = ForkedGenerator<{ how: string }, { readonly type: "done" }>;

async function withGenerator(run: (generator: Generator) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "latticework-generator-"));
  try {
    const file = path.join(folder, "generator.mts");
    await writeFile(file, program);
    await run(await ForkedGenerator.start(file, {}));
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("an order that a load generator dies of is rejected", async () => {
  await withGenerator(async (generator) => {
    await assert.rejects(generator.order({ how: "now" }, "done"), /generator ended \(8\)/);
  });
});

test("so is every later order to one that died while none was pending", async () => {
  await withGenerator(async (generator) => {
    await generator.order({ how: "later" }, "done");
    await assert.rejects(generator.reported("done"), /generator ended \(7\)/);
    await assert.rejects(generator.order({ how: "now" }, "done"), /generator ended \(7\)/);
  });
});
