import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("rolling-restart holds in smoke size", () => assertHolds("rolling-restart"));

test("rolling-restart falls short when its fault is planted", () =>
  assertFallsShort("rolling-restart"));
