import assert from "node:assert/strict";
import { test } from "node:test";
import { findSuppressions } from "../../scripts/checks/find-suppressions.ts";

function problemOf(text: string): string | undefined {
  const [suppression] = findSuppressions(text);
  assert.ok(suppression !== undefined, "the directive was found");
  return suppression.problem;
}

test("a suppression that names its rule and says why may stay", () => {
  for (const text of [
    "// eslint-disable-next-line no-console -- the one place that prints",
    "/* eslint-disable max-lines -- a table of the protocol */",
    "// @ts-expect-error the package's types forget this option",
    "// prettier-ignore: columns line up",
  ]) {
    assert.equal(problemOf(text), undefined);
  }
});

test("a suppression without a reason, without a rule or for good is refused", () => {
  for (const text of [
    "// eslint-disable-next-line no-console",
    "// eslint-disable-next-line no-console -- why",
    "/* eslint-disable -- everything is fine here */",
    "code(); // eslint-disable-line no-console",
    "// @ts-expect-error",
    "// @ts-ignore the types are wrong here",
    "// @ts-nocheck because it is generated",
    "// prettier-ignore",
    "/* c8 ignore next */",
  ]) {
    assert.notEqual(problemOf(text), undefined, text);
  }
});

test("lines are counted from one and prose is no suppression", () => {
  const text = "const a = 1;\n// says why eslint-disable needs a reason\n// @ts-ignore\n";
  assert.deepEqual(
    findSuppressions(text).map(({ line, directive }) => `${directive} ${line}`),
    ["@ts-ignore 3"],
  );
});
