/** Asserts that `run` throws a `LatticeError` of this code whose message says so. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/model/error.ts";
import { LatticeError } from "../../src/model/error.ts";

export function refuses(run: () => unknown, code: ErrorCode, message = /./): void {
  assert.throws(run, (error: unknown) => {
    assert.ok(error instanceof LatticeError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}
