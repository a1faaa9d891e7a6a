import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";

const root = path.join(import.meta.dirname, "../..");

function transcriptOf(seed: number): string {
  const script = path.join(root, "scripts/simulate.ts");
  const args = ["--import", "tsx", script, "--seed", String(seed)];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  assert.equal(status, 0, stdout);
  const hash = /transcript ([0-9a-f]{16})/.exec(stdout)?.[1];
  assert.ok(hash !== undefined, stdout);
  return hash;
}

test("a seed is replayed message by message in another process", () => {
  const first = transcriptOf(4);
  assert.equal(transcriptOf(4), first);
  assert.notEqual(transcriptOf(5), first);
});
