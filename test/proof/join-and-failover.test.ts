import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("join-and-failover holds in smoke size", () => assertHolds("join-and-failover"));

test("join-and-failover falls short when its fault is planted", () =>
  assertFallsShort("join-and-failover"));
