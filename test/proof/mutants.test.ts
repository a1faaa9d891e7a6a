import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("mutants holds in smoke size", () => assertHolds("mutants"));

test("mutants falls short when its fault is planted", () => assertFallsShort("mutants"));
