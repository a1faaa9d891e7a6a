import assert from "node:assert/strict";
import { before, test } from "node:test";
import { assertFallsShort, prove } from "../support/prove.ts";
import { requires } from "../support/requires.ts";
import type { ProgramEnd } from "../support/run-program.ts";

let end: ProgramEnd;
before(async () => {
  end = await prove("package", "--smoke");
});

test("package holds in smoke size", requires("chromium"), () => {
  assert.equal(end.code, 0, end.output);
});

test("all of package that needs no browser holds everywhere", () => {
  const figures = [...end.output.matchAll(/^ {4}([✔✖]) (.*?) {2,}/gm)];
  const missed = figures.filter(([, mark]) => mark === "✖").map(([, , name = ""]) => name);
  assert.ok(figures.length > 5, end.output);
  assert.deepEqual(
    missed.filter((name) => !name.includes("Chromium")),
    [],
    end.output,
  );
});

test("package falls short when its fault is planted", () => assertFallsShort("package"));
