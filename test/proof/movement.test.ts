import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("movement holds in smoke size", () => assertHolds("movement"));

test("movement falls short when its fault is planted", () => assertFallsShort("movement"));
