import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("kills holds in smoke size", () => assertHolds("kills"));

test("kills falls short when its fault is planted", () => assertFallsShort("kills"));
