import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("clock-step holds in smoke size", () => assertHolds("clock-step"));

test("clock-step falls short when its fault is planted", () => assertFallsShort("clock-step"));
