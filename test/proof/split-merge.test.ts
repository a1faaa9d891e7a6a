import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("split-merge holds in smoke size", () => assertHolds("split-merge"));

test("split-merge falls short when its fault is planted", () => assertFallsShort("split-merge"));
