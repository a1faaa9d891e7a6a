import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("partition holds in smoke size", () => assertHolds("partition"));

test("partition falls short when its fault is planted", () => assertFallsShort("partition"));
