import { test } from "node:test";
import { assertFallsShort } from "../support/prove.ts";

// That it holds is what the tests of `test/tools` say in the same run.
test("walls falls short when its fault is planted", () => assertFallsShort("walls"));
