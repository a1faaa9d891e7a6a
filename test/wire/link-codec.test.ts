import assert from "node:assert/strict";
import { test } from "node:test";
import { LatticeError } from "../../src/model/error.ts";
import type { ErrorCode } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { oversizedInput } from "../../src/wire/call-codec.ts";
import { closeCodes } from "../../src/wire/close-codes.ts";
import type { CloseAdvice } from "../../src/wire/close-codes.ts";
import { clientFrameLimits } from "../../src/wire/client-codecs.ts";
import { LinkDecoder, LinkEncoder } from "../../src/wire/link-codec.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import { linkRules } from "../../src/wire/link-rules.ts";
import { messageCodes } from "../../src/wire/message-codes.ts";
import type {
  HelloMessage,
  Message,
  NodeIdentity,
  WelcomeMessage,
} from "../../src/wire/messages.ts";
import { callMessage, Link } from "./link.ts";

const identity: NodeIdentity = {
  id: "127.0.0.1:7400",
  boot: 5,
  address: "ws://127.0.0.1:7400",
  zone: "",
  weight: 1,
  settings: { partitionCount: 1024, replicas: 3, placementVersion: 1 },
};
const clientHello: HelloMessage = {
  type: "hello",
  protocolMin: 1,
  protocolMax: 1,
  features: [],
  channel: "data",
  cluster: "",
};
const welcome: WelcomeMessage = {
  type: "welcome",
  protocol: 1,
  features: [],
  cluster: "dev",
  node: identity,
};

function refuses(write: () => void, code: ErrorCode, message: RegExp): void {
  assert.throws(write, (error: unknown) => {
    assert.ok(error instanceof LatticeError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  });
}

test("what was written between two takes is one frame", () => {
  const link = new Link();
  const frames = link.frames(Array.from({ length: 500 }, (_, id) => callMessage({ id })));
  assert.equal(frames.length, 1);
  assert.equal(link.encoder.take(), undefined);
  assert.equal(link.encoder.pendingBytes, 0);
  assert.equal(link.receive(frames[0]!).messages.length, 500);
});

test("a name crosses once", () => {
  const link = new Link();
  const long = callMessage({ functionName: "f".repeat(100), operation: "o".repeat(100) });
  const [first, second] = [link.frames([long])[0]!, link.frames([long])[0]!];
  assert.ok(first.length > 200 && second.length < 30);
  assert.deepEqual(link.receive(first).messages, [long]);
  assert.deepEqual(link.receive(second).messages, [long]);
});

test("more names than slots still arrive right, and memory stays bounded", () => {
  const link = new Link("from-client");
  const calls = Array.from({ length: 1000 }, (_, id) =>
    callMessage({ id, operation: `operation-${String(id % 300)}`, caller: `c${String(id % 7)}` }),
  );
  for (const call of calls) assert.deepEqual(link.pass([call]), [call]);
});

test("callers of an outbox take no slots", () => {
  const link = new Link();
  const call = callMessage({ flags: 16, caller: "cart/alice#123", number: 1 });
  const first = link.frames([call])[0]!;
  const second = link.frames([call])[0]!;
  // The function and the handler were names the first time, the caller is spelled out both times.
  assert.equal(first.length - second.length, "cart".length + 1 + "add".length + 1);
  assert.ok(Buffer.from(second).includes("cart/alice#123"));
  assert.deepEqual(link.receive(first).messages, [call]);
  assert.deepEqual(link.receive(second).messages, [call]);
});

test("a refused message that filled the last slots hands them back", () => {
  const link = new Link("from-client");
  const call = (id: number): ReturnType<typeof callMessage> =>
    callMessage({ id, functionName: "f", operation: `o${String(id % 150)}` });
  for (let id = 0; id < 600; id += 1) {
    assert.throws(() => {
      const key = "k".repeat(5000);
      link.encoder.write({ ...call(id), functionName: `g${String(id)}`, key });
    }, LatticeError);
    assert.deepEqual(link.pass([call(id)]), [call(id)]);
  }
});

test("frames are sealed near 64 KiB and taken in order", () => {
  const link = new Link();
  const calls = Array.from({ length: 300 }, (_, id) =>
    callMessage({ id, input: new Uint8Array(1024) }),
  );
  const frames = link.frames(calls);
  assert.ok(frames.length >= 4);
  for (const frame of frames) assert.ok(frame.length <= 66 * 1024);
  assert.deepEqual(
    frames.flatMap((frame) => link.receive(frame).messages),
    calls,
  );
});

test("pending bytes count sealed frames too", () => {
  const encoder = new LinkEncoder(nodeFrameLimits);
  encoder.become("data");
  let taken = 0;
  for (let id = 0; id < 100; id += 1)
    encoder.write(callMessage({ id, input: new Uint8Array(2000) }));
  const pending = encoder.pendingBytes;
  for (let frame = encoder.take(); frame !== undefined; frame = encoder.take())
    taken += frame.length;
  assert.equal(taken, pending);
  assert.equal(encoder.pendingBytes, 0);
});

test("frames that were taken are not written to again", () => {
  const link = new Link();
  const kept: [Uint8Array, Uint8Array][] = [];
  for (let id = 0; id < 2000; id += 1) {
    for (const frame of link.frames([callMessage({ id, key: `key-${String(id)}` })])) {
      kept.push([frame, frame.slice()]);
    }
  }
  for (const [frame, copy] of kept) assert.deepEqual(frame, copy);
});

test("a message that is refused leaves no trace, its names included", () => {
  const link = new Link();
  const before = callMessage({ id: 1, functionName: "first" });
  link.encoder.write(before);
  const bad = callMessage({ functionName: "fresh", operation: "new", key: "k".repeat(5000) });
  refuses(
    () => {
      link.encoder.write(bad);
    },
    "invalid_argument",
    /longer than 4096 bytes/,
  );
  const after = callMessage({ id: 2, functionName: "fresh", operation: "new" });
  assert.deepEqual(link.pass([after]), [before, after]);
  assert.deepEqual(link.pass([after]), [after]);
});

test("a refused first message leaves an empty frame behind, that is none", () => {
  const encoder = new LinkEncoder(nodeFrameLimits);
  refuses(
    () => {
      encoder.write(callMessage({ key: "k".repeat(5000) }));
    },
    "invalid_argument",
    /4096/,
  );
  assert.equal(encoder.pendingBytes, 0);
  assert.equal(encoder.take(), undefined);
});

test("a client may send 1 MiB and not a byte more", () => {
  const link = new Link("from-client");
  const full = callMessage({ input: new Uint8Array(limits.clientPayloadBytesMax) });
  assert.equal(link.pass([full]).length, 1);
  const over = callMessage({ input: new Uint8Array(limits.clientPayloadBytesMax + 1) });
  refuses(
    () => {
      link.encoder.write(over);
    },
    "too_large",
    /^cart\/alice: the input has 1,048,577 bytes encoded, at most 1,048,576 are sent$/,
  );
});

test("a foreign client's call that is a little too large arrives, to be answered", () => {
  const over = callMessage({ input: new Uint8Array(limits.clientPayloadBytesMax + 1) });
  const frame = new Link("data").frames([over])[0]!;
  const { messages, advice } = new Link("from-client").receive(frame);
  assert.equal(advice, undefined);
  assert.equal(oversizedInput(messages[0] as typeof over)?.code, "too_large");
  assert.equal(oversizedInput(callMessage()), undefined);
});

test("a frame or message above the limit of its link closes it with 4413", () => {
  const big = new Link("data").frames([
    callMessage({ input: new Uint8Array(2 * 1024 * 1024) }),
  ])[0]!;
  assert.equal(new Link("from-client").receive(big).advice?.code, closeCodes.tooLarge);
  const medium = new Link("data").frames([callMessage({ input: new Uint8Array(20_000) })])[0]!;
  assert.equal(new Link("control").receive(medium).advice?.code, closeCodes.tooLarge);
  const huge = new Uint8Array(limits.nodeFrameBytesMax + 1);
  assert.equal(new Link("data").receive(huge).advice?.code, closeCodes.tooLarge);
  const claim = Uint8Array.of(1, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);
  assert.equal(new Link("data").receive(claim).advice?.code, closeCodes.tooLarge);
});

test("a sender is told when a message is too large for its link", () => {
  const control = new Link("control");
  refuses(
    () => {
      control.encoder.write(callMessage({ input: new Uint8Array(17_000) }));
    },
    "too_large",
    /a call of 17,0\d\d bytes, at most 16,384 on a control link/,
  );
  const data = new Link("data");
  refuses(
    () => {
      data.encoder.write(callMessage({ input: new Uint8Array(limits.nodeFrameBytesMax) }));
    },
    "too_large",
    /on a data link/,
  );
  const most = callMessage({ input: new Uint8Array(linkRules.data.messageBytesMax - 100) });
  const [frame] = data.frames([callMessage({ input: new Uint8Array(60_000) }), most]);
  assert.ok(frame!.length <= limits.nodeFrameBytesMax);
});

test("control frames stay small", () => {
  const link = new Link("control");
  const frames = link.frames(
    Array.from({ length: 20 }, () => callMessage({ input: new Uint8Array(15_000) })),
  );
  for (const frame of frames) assert.ok(frame.length <= linkRules.control.frameBytesMax);
});

test("nothing but a hand shake is read before one", () => {
  const decoder = new LinkDecoder(clientFrameLimits);
  const call = new Link("data").frames([callMessage()])[0]!;
  const advice = decoder.decode(call, () => assert.fail("a call was handed out"));
  assert.deepEqual(advice, {
    code: closeCodes.malformed,
    reason: "call is not accepted on a greeting link",
  });
});

test("a hello of more than 8 KiB is not read", () => {
  const link = new Link("greeting");
  const hello = { ...clientHello, features: Array.from({ length: 64 }, () => "x".repeat(60)) };
  const [frame] = link.frames([hello]);
  assert.equal(new Link("greeting").receive(frame!).advice, undefined);
  const padded = new Uint8Array(8 * 1024 + 1);
  padded.set(frame!);
  assert.equal(new Link("greeting").receive(padded).advice?.code, closeCodes.tooLarge);
});

test("the hand shake decides what a link becomes, on both ends", () => {
  const encoder = new LinkEncoder(nodeFrameLimits);
  const decoder = new LinkDecoder(nodeFrameLimits);
  const messages: Message[] = [];
  const deliver = (): void => {
    for (let frame = encoder.take(); frame !== undefined; frame = encoder.take()) {
      assert.equal(
        decoder.decode(frame, (message) => messages.push(message)),
        undefined,
      );
    }
  };
  encoder.write(clientHello);
  encoder.write(callMessage());
  deliver();
  assert.equal(decoder.kind, "from-client");
  assert.deepEqual(messages, [clientHello, callMessage()]);
  for (const [hello, kind] of [
    [{ ...clientHello, node: identity }, "data"],
    [{ ...clientHello, node: identity, channel: "control" }, "control"],
    [{ ...clientHello, node: identity, channel: "bulk" }, "bulk"],
  ] as const) {
    const link = new LinkDecoder(nodeFrameLimits);
    const frames = new Link("greeting").frames([hello]);
    assert.equal(
      link.decode(frames[0]!, () => {}),
      undefined,
    );
    assert.equal(link.kind, kind);
  }
  const client = new LinkDecoder(clientFrameLimits);
  const table: Message = {
    type: "table",
    version: 1,
    tableId: 2,
    partitionCount: 1024,
    members: [],
    full: true,
    owners: Array.from({ length: 1024 }, (_, partition) => ({ partition, members: [0, 1, 2] })),
  };
  const answer = new LinkEncoder(nodeFrameLimits);
  answer.write(welcome);
  answer.write(table);
  const received: string[] = [];
  const [frame] = [answer.take()!];
  assert.equal(
    client.decode(frame, (message) => received.push(message.type)),
    undefined,
  );
  assert.deepEqual(received, ["welcome", "table"]);
  assert.equal(client.kind, "to-client");
});

test("a client may not speak as a node", () => {
  const replyMessage: Message = {
    type: "reply",
    id: 1,
    flags: 0,
    copies: 1,
    hops: 1,
    node: "",
    seen: undefined,
    value: new Uint8Array(0),
  };
  const forbidden: readonly Message[] = [
    { type: "replication", from: "a#1", to: "b#1", message: { entries: [] } },
    { type: "membership", message: { type: "gossip", updates: [] } },
    replyMessage,
    { type: "primaries", entries: [] },
    { ...clientHello, node: identity },
    welcome,
  ];
  for (const message of forbidden) {
    const frame = new Link("data").frames([message])[0]!;
    const { messages, advice } = new Link("from-client").receive(frame);
    assert.equal(messages.length, 0);
    assert.match(advice!.reason, /is not accepted on a from-client link$/);
  }
});

test("messages before a bad one are handed out, none after it", () => {
  const link = new Link();
  const good = link.frames([callMessage({ id: 7 })])[0]!;
  const frame = Uint8Array.of(...good, messageCodes.cancel, 1, 0x80, messageCodes.cancel, 1, 3);
  const { messages, advice } = link.receive(frame);
  assert.deepEqual(messages, [callMessage({ id: 7 })]);
  assert.equal(advice?.code, closeCodes.malformed);
  assert.match(advice.reason, /^cancel ends too early at byte \d+$/);
});

test("a name that was never put into its slot is malformed", () => {
  const link = new Link();
  link.frames([callMessage()]);
  const { advice } = new Link().receive(link.frames([callMessage()])[0]!);
  assert.match(advice!.reason, /^call uses the unknown name 0/);
});

test("names beyond the slots of a client are malformed", () => {
  const link = new Link("data");
  const node = new Link("from-client");
  let advice: CloseAdvice | undefined;
  for (let id = 0; id < 200 && advice === undefined; id += 1) {
    advice = node.receive(link.frames([callMessage({ operation: `o${String(id)}` })])[0]!).advice;
  }
  assert.match(advice?.reason ?? "", /^call puts a name into slot 128/);
});

test("lists that claim more than their bytes are malformed before anything is made of them", () => {
  const countAt = messageCodes.primaries;
  const frame = Uint8Array.of(1, countAt, 4, 0xff, 0xff, 0x03, 0);
  assert.match(
    new Link().receive(frame).advice!.reason,
    /^primaries a list is longer than its bytes/,
  );
  const many = Uint8Array.of(1, countAt, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f);
  assert.match(
    new Link().receive(many).advice!.reason,
    /^primaries a list has more than 65536 items/,
  );
});

test("another frame version, an empty frame and bytes left over are told apart", () => {
  assert.deepEqual(new Link().receive(Uint8Array.of(2, 19, 1, 1)).advice, {
    code: closeCodes.protocol,
    reason: "frame version 2, this node reads 1",
  });
  assert.equal(new Link().receive(new Uint8Array(0)).advice?.reason, "an empty frame");
  const { advice } = new Link().receive(Uint8Array.of(1, messageCodes.cancel, 2, 1, 1));
  assert.match(advice!.reason, /^cancel has bytes left over/);
  assert.match(new Link().receive(Uint8Array.of(1, 200, 0)).advice!.reason, /^message 200 is not/);
});

test("what a handler throws comes through, and the link goes on", () => {
  const link = new Link();
  const frame = link.frames([callMessage()])[0]!;
  assert.throws(
    () =>
      link.decoder.decode(frame, () => {
        throw new RangeError("mine");
      }),
    RangeError,
  );
  assert.deepEqual(link.pass([callMessage({ id: 2 })]), [callMessage({ id: 2 })]);
});

test("time left is rounded up and never negative", () => {
  const link = new Link();
  const sent = [callMessage({ timeoutMs: 0.2 }), callMessage({ timeoutMs: -3 })];
  const received = link.pass(sent) as ReturnType<typeof callMessage>[];
  assert.deepEqual(
    received.map(({ timeoutMs }) => timeoutMs),
    [1, 0],
  );
});

test("long text for people is cut, not refused", () => {
  const link = new Link();
  const failure: Message = {
    type: "failure",
    id: 1,
    code: "handler_error",
    message: "é".repeat(100_000),
    indeterminate: false,
    retryAfterMs: 0,
    node: "",
    primary: "",
    call: "",
    data: new Uint8Array(0),
  };
  const [received] = link.pass([failure]) as [typeof failure];
  assert.equal(received.message, `${"é".repeat(1999)}…`);
});

test("only the low 32 bits of a table id travel with a call", () => {
  const [call] = new Link().pass([callMessage({ tableId: 2 ** 52 + 77 })]);
  assert.deepEqual(call, callMessage({ tableId: 77 }));
});
