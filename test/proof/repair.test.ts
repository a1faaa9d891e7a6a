import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("repair holds in smoke size", () => assertHolds("repair"));

test("repair falls short when its fault is planted", () => assertFallsShort("repair"));
