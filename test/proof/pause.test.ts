import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("pause holds in smoke size", () => assertHolds("pause"));

test("pause falls short when its fault is planted", () => assertFallsShort("pause"));
