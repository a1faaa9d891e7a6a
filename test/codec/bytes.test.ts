import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ByteReader } from "../../src/codec/byte-reader.ts";
import { ByteWriter } from "../../src/codec/byte-writer.ts";
import { MalformedBytes } from "../../src/codec/malformed.ts";
import { utf8Length } from "../../src/codec/utf8.ts";
import { anyBytes, anyText } from "./values.ts";

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  write(writer);
  return writer.take();
}

test("a varint takes 7 bits a byte, low ones first", () => {
  const golden: readonly (readonly [number, string])[] = [
    [0, "00"],
    [127, "7f"],
    [128, "8001"],
    [300, "ac02"],
    [16_383, "ff7f"],
    [16_384, "808001"],
    [2 ** 28 - 1, "ffffff7f"],
    [2 ** 28, "8080808001"],
    [2 ** 31, "8080808008"],
    [2 ** 32 - 1, "ffffffff0f"],
    [2 ** 35, "808080808001"],
    [2 ** 53 - 1, "ffffffffffffff0f"],
  ];
  for (const [value, hex] of golden) {
    const bytes = written((writer) => {
      writer.varint(value);
    });
    assert.equal(Buffer.from(bytes).toString("hex"), hex);
    assert.equal(new ByteReader(bytes).varint(), value);
  }
});

test("a varint that is no integer of 0 to 2^53 - 1 is a defect of the writer", () => {
  for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53, -0.5]) {
    assert.throws(() => {
      new ByteWriter().varint(value);
    }, /not a varint/);
  }
});

test("a varint above 2^53 - 1 or longer than 8 bytes is malformed", () => {
  for (const hex of [
    "ffffffffffffff10",
    "ffffffffffffffff00",
    "ffffffffffffffffff01",
    "80",
    "ff",
    "",
  ]) {
    const reader = new ByteReader(Uint8Array.from(Buffer.from(hex, "hex")));
    assert.throws(() => reader.varint(), MalformedBytes);
  }
});

test("reads back what was written, in order", () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant("varint" as const), value: fc.maxSafeNat() }),
    fc.record({ type: fc.constant("f64" as const), value: fc.double() }),
    fc.record({ type: fc.constant("u8" as const), value: fc.nat(255) }),
    fc.record({ type: fc.constant("u32" as const), value: fc.nat(0xffffffff) }),
    fc.record({ type: fc.constant("string" as const), value: anyText }),
    fc.record({ type: fc.constant("bytes" as const), value: anyBytes }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writer = new ByteWriter();
      for (const { type, value } of steps)
        (writer[type] as (value: unknown) => void).call(writer, value);
      const reader = new ByteReader(writer.take());
      for (const { type, value } of steps) {
        assert.deepEqual(type === "string" ? reader.string(2000) : reader[type](), value);
      }
      reader.finish();
    }),
  );
});

test("a string has as many bytes as its UTF-8 form", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      assert.equal(utf8Length(text), new TextEncoder().encode(text).length);
    }),
  );
  assert.equal(utf8Length("\ud800"), 3);
  const bytes = written((writer) => {
    writer.string("a\ud800b");
  });
  assert.equal(new ByteReader(bytes).string(100), "a\ufffdb");
});

test("what was taken is never written to again", () => {
  const writer = new ByteWriter();
  const taken: [Uint8Array, string][] = [];
  for (let round = 1; round < 400; round += 1) {
    writer.raw(new Uint8Array(round * 7).fill(round));
    writer.string("é".repeat(round));
    const piece = writer.take();
    taken.push([piece, Buffer.from(piece).toString("hex")]);
  }
  for (const [piece, hex] of taken) assert.equal(Buffer.from(piece).toString("hex"), hex);
  assert.equal(writer.length, 0);
  assert.equal(writer.take().length, 0);
});

test("small takes share a chunk and its size follows what is taken", () => {
  const writer = new ByteWriter();
  writer.u8(1);
  const first = writer.take();
  writer.u8(2);
  const second = writer.take();
  assert.equal(first.buffer, second.buffer);
  for (let round = 0; round < 100; round += 1) {
    writer.raw(new Uint8Array(20_000));
    assert.ok(writer.take().buffer.byteLength <= 128 * 1024);
  }
});

test("a block is prefixed by its length, however long it became", () => {
  for (const length of [0, 1, 127, 128, 129, 1023, 1024, 16_383, 16_384, 100_000]) {
    const body = Uint8Array.from({ length }, (_, index) => index % 251);
    const bytes = written((writer) => {
      writer.u8(9);
      const block = writer.openBlock();
      writer.raw(body);
      writer.closeBlock(block);
      writer.u8(8);
    });
    const reader = new ByteReader(bytes);
    assert.equal(reader.u8(), 9);
    assert.deepEqual(Buffer.from(reader.bytes()), Buffer.from(body));
    assert.equal(reader.u8(), 8);
    reader.finish();
  }
});

test("truncating takes back what was written and nothing else", () => {
  const writer = new ByteWriter();
  writer.string("kept");
  const mark = writer.length;
  writer.raw(new Uint8Array(5000));
  writer.truncate(mark);
  writer.u8(7);
  assert.deepEqual(writer.take(), Uint8Array.from([4, 107, 101, 112, 116, 7]));
});

test("never reads past the end, nor out of a narrowed block", () => {
  const reads: readonly ((reader: ByteReader) => unknown)[] = [
    (reader) => reader.u8(),
    (reader) => reader.u32(),
    (reader) => reader.f64(),
    (reader) => reader.varint(),
    (reader) => reader.bytes(),
    (reader) => reader.string(10),
    (reader) => reader.raw(1),
    (reader) => reader.text(1),
    (reader) => reader.narrow(1),
  ];
  for (const read of reads) assert.throws(() => read(new ByteReader()), MalformedBytes);
  const reader = new ByteReader(Uint8Array.from([1, 2, 3]));
  const outer = reader.narrow(1);
  assert.equal(reader.u8(), 1);
  for (const read of reads) assert.throws(() => read(reader), MalformedBytes);
  reader.widen(outer);
  assert.equal(reader.u8(), 2);
  assert.throws(() => {
    reader.finish();
  }, /left over/);
});

test("a length from the wire is checked before anything is allocated for it", () => {
  const huge = written((writer) => {
    writer.varint(2 ** 52);
  });
  assert.throws(() => new ByteReader(huge).bytes(), /ends too early/);
  assert.throws(() => new ByteReader(huge).string(2 ** 53), /ends too early/);
  assert.throws(() => new ByteReader(huge).string(64), /longer than 64 bytes/);
  assert.throws(() => new ByteReader(huge).count(2 ** 53, 1), /longer than its bytes/);
  assert.throws(() => new ByteReader(huge).count(512, 1), /more than 512/);
});

test("random bytes give a value or MalformedBytes", () => {
  fc.assert(
    fc.property(anyBytes, fc.array(fc.nat(6), { maxLength: 20 }), (bytes, steps) => {
      const reader = new ByteReader(bytes);
      try {
        for (const step of steps) {
          if (step === 0) reader.u8();
          else if (step === 1) reader.varint();
          else if (step === 2) reader.f64();
          else if (step === 3) assert.ok(reader.bytes().length <= bytes.length);
          else if (step === 4) assert.ok(reader.string(100).length <= 100);
          else if (step === 5) reader.u32();
          else assert.ok(reader.count(1000, 2) * 2 <= reader.remaining);
        }
      } catch (error) {
        assert.ok(error instanceof MalformedBytes);
      }
      assert.ok(reader.position <= bytes.length);
    }),
  );
});
