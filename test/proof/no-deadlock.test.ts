import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("no-deadlock holds in smoke size", () => assertHolds("no-deadlock"));

test("no-deadlock falls short when its fault is planted", () => assertFallsShort("no-deadlock"));
