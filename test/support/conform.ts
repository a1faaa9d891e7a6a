/** Runs a conformance suite: one test a case. */
import { describe, test } from "node:test";
import type { ConformanceCase } from "../../src/testing/conformance/conformance-case.ts";

export function conform(title: string, cases: readonly ConformanceCase[]): void {
  describe(title, () => {
    for (const { name, run } of cases) test(name, run);
  });
}
