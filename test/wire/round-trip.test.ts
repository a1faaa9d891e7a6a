import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { closeCodes } from "../../src/wire/close-codes.ts";
import type { CloseAdvice } from "../../src/wire/close-codes.ts";
import { messageCodes } from "../../src/wire/message-codes.ts";
import { callFlags, readCountOf, readFlags } from "../../src/wire/messages.ts";
import { nodeCodecs } from "../../src/wire/node-codecs.ts";
import { anyMessage, anyMessageOf, messageTypes } from "./any-message.ts";
import { callMessage, Link } from "./link.ts";

const codes: ReadonlySet<number> = new Set(Object.values(closeCodes));

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function checkAdvice(advice: CloseAdvice | undefined): void {
  if (advice === undefined) return;
  assert.ok(codes.has(advice.code));
  assert.ok(advice.reason.length > 0 && Buffer.byteLength(advice.reason) <= 123, advice.reason);
}

test("every message has a number of its own", () => {
  assert.deepEqual([...messageTypes].sort(), Object.keys(messageCodes).sort());
  assert.equal(
    nodeCodecs.byCode.filter((codec) => codec !== undefined).length,
    messageTypes.length,
  );
});

for (const type of messageTypes) {
  test(`${type} comes out as it went in`, () => {
    fc.assert(
      fc.property(fc.array(anyMessageOf(type), { minLength: 1, maxLength: 3 }), (messages) => {
        for (const message of messages) {
          const link = new Link(type === "hello" || type === "welcome" ? "greeting" : "data");
          assert.deepEqual(link.pass([message]), [message]);
        }
      }),
      { numRuns: 40 },
    );
  });
}

test("a stream of messages comes out in order, frame by frame", () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyMessage, { maxLength: 6 }), { maxLength: 6 }), (batches) => {
      const link = new Link();
      for (const batch of batches) assert.deepEqual(link.pass(batch), batch);
    }),
    { numRuns: 60 },
  );
});

test("a frame that ends anywhere early is malformed, never a throw", () => {
  fc.assert(
    fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 3 }), (messages) => {
      const frame = new Link().frames(messages)[0]!;
      for (let end = 0; end < frame.length; end += 1 + (end >> 7)) {
        const { messages: read, advice } = new Link().receive(frame.subarray(0, end));
        checkAdvice(advice);
        // A cut between two messages cannot be seen; everywhere else it must be.
        if (advice === undefined) assert.deepEqual(read, messages.slice(0, read.length));
        assert.ok(read.length < messages.length);
      }
    }),
    { numRuns: 60 },
  );
});

test("random bytes are messages or a reason to close, never a throw", () => {
  const frame = fc.tuple(fc.constantFrom(0, 1, 2), fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(frame, ([version, bytes]) => {
      checkAdvice(new Link().receive(Uint8Array.of(version, ...bytes)).advice);
      checkAdvice(new Link("greeting").receive(Uint8Array.of(version, ...bytes)).advice);
    }),
    { numRuns: 500 },
  );
});

test("a random payload of any message is that message or a reason to close", () => {
  const payload = fc.uint8Array({ maxLength: 120 });
  fc.assert(
    fc.property(fc.constantFrom(...messageTypes), payload, (type, bytes) => {
      const frame = Uint8Array.of(1, messageCodes[type], bytes.length, ...bytes);
      const greets = type === "hello" || type === "welcome";
      const { messages, advice } = new Link(greets ? "greeting" : "data").receive(frame);
      checkAdvice(advice);
      assert.ok(advice !== undefined || messages[0]?.type === type);
    }),
    { numRuns: 1000 },
  );
});

test("a damaged frame is messages or a reason to close, never a throw", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.array(anyMessage, { minLength: 1, maxLength: 3 }),
      damage,
      (messages, changes) => {
        const frame = new Link().frames(messages)[0]!.slice();
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        checkAdvice(new Link().receive(frame).advice);
      },
    ),
    { numRuns: 500 },
  );
});

test("the bytes of a call, its repetition and a reply stay what they are", () => {
  const link = new Link();
  const call = callMessage({
    tableId: 0x12345678,
    caller: "c",
    number: 300,
    received: 299,
    acks: 2,
    input: Uint8Array.of(5),
  });
  assert.equal(
    hex(link.frames([call])[0]!),
    "01" + // frame version
      "10" + // call
      "25" + // 37 bytes
      "03" + // protection and acks
      "00" + // flags
      "01" + // id
      "02" + // partition
      "78563412" + // table id
      "01" + // hop
      "03" + // name: new in slot 0
      "0463617274" + // cart
      "05616c696365" + // alice
      "05" + // name: new in slot 1
      "03616464" + // add
      "f403" + // 500 ms
      "07" + // name: new in slot 2
      "0163" + // c
      "ac02" + // number
      "ab02" + // received
      "02" + // acks
      "05", // input
  );
  assert.equal(
    hex(link.frames([call])[0]!),
    "01101a030001027856341201020561" + "6c69636504f40306ac02ab020205",
  );
  const trace = "00-0102030405060708090a0b0c0d0e0f10-f0e0d0c0b0a09080-01";
  assert.equal(
    hex(link.frames([{ ...call, trace }])[0]!),
    "011034" + // 26 bytes more than above
      "23" + // protection, acks and trace
      "0001027856341201020561" +
      "6c69636504f40306ac02ab0202" +
      "00" + // version of the trace context
      "0102030405060708090a0b0c0d0e0f10" + // trace id
      "f0e0d0c0b0a09080" + // span id
      "01" + // flags
      "05", // input
  );
  const reply = {
    type: "reply",
    id: 1,
    flags: 0,
    copies: 2,
    hops: 1,
    node: "n",
    seen: undefined,
    value: Uint8Array.of(7),
  } as const;
  assert.equal(hex(link.frames([reply])[0]!), "0111080100020109016e07");
});

test("the flags of a read of several owners stay what they are", () => {
  const bytesOf = (flags: number): string => {
    const call = callMessage({ flags });
    return hex(new Link().frames([call])[0]!).slice(8, 12);
  };
  assert.deepEqual([readFlags(2), readFlags(7)], [1024, 3584]);
  assert.deepEqual([bytesOf(readFlags(2)), bytesOf(readFlags("any"))], ["8008", "8001"]);
  assert.equal(bytesOf(callFlags.readCount), "8004");
  assert.deepEqual([readCountOf(readFlags(7) | callFlags.session), readCountOf(511)], [7, 0]);
});

test("every message keeps its number", () => {
  const numbers = Object.fromEntries(messageTypes.map((type) => [type, messageCodes[type]]));
  assert.deepEqual(numbers, {
    hello: 1,
    welcome: 2,
    refused: 3,
    goodbye: 4,
    echo: 5,
    call: 16,
    reply: 17,
    failure: 18,
    cancel: 19,
    table: 32,
    primaries: 33,
    watch: 34,
    unwatch: 35,
    snapshot: 36,
    change: 37,
    "watch-end": 38,
    membership: 48,
    replication: 49,
  });
});
