/** The command line of the proofs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { prove } from "../support/prove.ts";
import { issueLines } from "./targets.ts";

test("without a name every line of the issues is listed with its proof", async () => {
  const { code, output } = await prove();
  assert.equal(code, 0);
  for (const [name, { issue, line }] of Object.entries(issueLines)) {
    assert.match(
      output,
      new RegExp(`^${name} +issue ${String(issue)}, line ${String(line)}$`, "m"),
    );
  }
});

test("an unknown name, and an option that does not exist, are refused", async () => {
  const unknown = await prove("flihgts");
  assert.equal(unknown.code, 2);
  assert.match(unknown.output, /no such proof: flihgts/);
  const option = await prove("flights", "--smok");
  assert.equal(option.code, 2);
  assert.match(option.output, /--smok/);
  const runs = await prove("flights", "--runs", "no");
  assert.equal(runs.code, 2);
  assert.match(runs.output, /--runs takes a whole number from 1/);
});
