import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("surface holds in smoke size", () => assertHolds("surface"));

test("surface falls short when its fault is planted", () => assertFallsShort("surface"));
