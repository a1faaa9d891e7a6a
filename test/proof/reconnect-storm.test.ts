import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("reconnect-storm holds in smoke size", () => assertHolds("reconnect-storm"));

test("reconnect-storm falls short when its fault is planted", () =>
  assertFallsShort("reconnect-storm"));
