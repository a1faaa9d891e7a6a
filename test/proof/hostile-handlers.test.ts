import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("hostile-handlers holds in smoke size", () => assertHolds("hostile-handlers"));

test("hostile-handlers falls short when its fault is planted", () =>
  assertFallsShort("hostile-handlers"));
