import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("linearizable holds in smoke size", () => assertHolds("linearizable"));

test("linearizable falls short when its fault is planted", () => assertFallsShort("linearizable"));
