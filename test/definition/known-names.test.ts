/** Guesses at what a wrong name was meant to be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { didYouMean } from "../../src/definition/known-names.ts";

test("a suggestion is made only when something is near", () => {
  assert.equal(didYouMean("ad", ["add", "checkOut"]), " (did you mean 'add'?)");
  assert.equal(didYouMean("checkout", ["add", "checkOut"]), " (did you mean 'checkOut'?)");
  assert.equal(didYouMean("prot", ["host", "port"]), " (did you mean 'port'?)");
  assert.equal(didYouMean("joni", ["nodeId", "join"]), " (did you mean 'join'?)");
  assert.equal(didYouMean("dad", ["add"]), " (did you mean 'add'?)");
  assert.equal(didYouMean("", ["add"]), "");
  assert.equal(didYouMean("x".repeat(1000), ["add"]), "");
  assert.equal(didYouMean("subtract", ["add", "checkOut"]), "");
});
