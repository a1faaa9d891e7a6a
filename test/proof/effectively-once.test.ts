import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("effectively-once holds in smoke size", () => assertHolds("effectively-once"));

test("effectively-once falls short when its fault is planted", () =>
  assertFallsShort("effectively-once"));
