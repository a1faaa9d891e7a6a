import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("simulation holds in smoke size", () => assertHolds("simulation"));

test("simulation falls short when its fault is planted", () => assertFallsShort("simulation"));
