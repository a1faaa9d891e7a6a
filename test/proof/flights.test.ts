import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("flights holds in smoke size", () => assertHolds("flights"));

test("flights falls short when its fault is planted", () => assertFallsShort("flights"));
