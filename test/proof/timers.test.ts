import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("timers holds in smoke size", () => assertHolds("timers"));

test("timers falls short when its fault is planted", () => assertFallsShort("timers"));
