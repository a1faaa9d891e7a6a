import { test } from "node:test";
import { assertFallsShort, assertHolds } from "../support/prove.ts";
import { requires } from "../support/requires.ts";

const needs = requires("chromium");

test("package holds in smoke size", needs, () => assertHolds("package"));

test("package falls short when its fault is planted", needs, () => assertFallsShort("package"));
