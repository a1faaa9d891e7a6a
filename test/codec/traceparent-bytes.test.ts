import assert from "node:assert/strict";
import { test } from "node:test";
import { ByteReader } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { MalformedBytes } from "../../src/codec/malformed.ts";
import {
  readTraceparent,
  traceparentBytes,
  writeTraceparent,
} from "../../src/codec/traceparent-bytes.ts";

const traceparent = "00-0102030405060708090a0b0c0d0e0f10-f0e0d0c0b0a09080-0a";

test("a trace context takes 26 bytes, in the order of its digits", () => {
  const writer = new ByteWriter();
  writeTraceparent(writer, traceparent);
  const bytes = writer.take();
  assert.equal(bytes.length, traceparentBytes);
  assert.equal(
    Buffer.from(bytes).toString("hex"),
    "000102030405060708090a0b0c0d0e0f10f0e0d0c0b0a090800a",
  );
  const reader = new ByteReader(bytes);
  assert.equal(readTraceparent(reader), traceparent);
  reader.finish();
});

test("too few bytes, another version, and ids of nothing but zeros are malformed", () => {
  const whole = new Uint8Array(traceparentBytes).fill(7, 1);
  assert.match(readTraceparent(new ByteReader(whole)), /^00-(07){16}-(07){8}-07$/);
  for (const bytes of [
    whole.subarray(0, -1),
    whole.slice().fill(1, 0, 1),
    new Uint8Array(traceparentBytes),
    whole.slice().fill(0, 1, 17),
    whole.slice().fill(0, 17, 25),
  ]) {
    assert.throws(() => readTraceparent(new ByteReader(bytes)), MalformedBytes);
  }
});
