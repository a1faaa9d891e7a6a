import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";

test("sessions holds in smoke size", () => assertHolds("sessions"));

test("sessions falls short when its fault is planted", () => assertFallsShort("sessions"));
