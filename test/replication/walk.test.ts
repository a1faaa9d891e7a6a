import assert from "node:assert/strict";
import { test } from "node:test";
import { walk } from "./walk.ts";

test("nothing that was promised breaks in 400 random walks", () => {
  const totals = {
    crashes: 0,
    primaries: 0,
    acknowledged: 0,
    degraded: 0,
    merged: 0,
    reaped: 0,
    compared: 0,
  };
  for (let seed = 1; seed <= 400; seed++) {
    const { violation, world, degradedCount } = walk(seed);
    assert.equal(violation, undefined, `seed ${String(seed)}`);
    totals.crashes += world.crashCount;
    totals.primaries += world.takeoverCount;
    totals.acknowledged += world.acknowledged.size;
    totals.degraded += degradedCount;
    totals.merged += world.mergedCount;
    totals.compared += world.compared.doneCount;
    totals.reaped += world.slates.reapedCount;
  }
  for (const [what, count] of Object.entries(totals)) {
    assert.ok(count >= 20, `${what} happened ${String(count)} times: the walk proves too little`);
  }
});

test("a seed tells a whole walk", () => {
  const transcript = (): string => {
    const lines: string[] = [];
    walk(77, (line) => lines.push(line));
    return lines.join("\n");
  };
  assert.equal(transcript(), transcript());
});
