import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("membership holds in smoke size", () => assertHolds("membership"));

test("membership falls short when its fault is planted", () => assertFallsShort("membership"));
