/** Calls and replies as bytes and back, in batches as they travel. */
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { LinkDecoder, LinkEncoder } from "../../src/wire/link-codec.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type { CallMessage, Message, ReplyMessage } from "../../src/wire/messages.ts";
import type { MicroBench } from "../lib/micro.ts";

const batch = 64;

const call: CallMessage = {
  type: "call",
  id: 17,
  partition: 1000,
  tableId: 0xdeadbeef,
  hop: 1,
  functionName: "counter",
  key: "account-1234",
  operation: "increment",
  caller: "V1StGXR8_Z5jdHi6B-myT",
  number: 123_456,
  received: 123_456,
  timeoutMs: 5_000,
  acks: 0,
  flags: 0,
  ageTime: 0,
  ageId: "",
  chain: [],
  seen: undefined,
  trace: "",
  input: new Uint8Array(0),
};

const reply: ReplyMessage = {
  type: "reply",
  id: 17,
  flags: 0,
  copies: 1,
  hops: 1,
  node: "127.0.0.1:7400",
  seen: undefined,
  value: encodeValue(42),
};

export const codec: MicroBench = {
  name: "codec",
  add(bench) {
    for (const message of [call, reply]) {
      const encoder = dataEncoder();
      bench.add(`encode a batch of ${String(batch)} ${message.type} messages`, () => {
        encodeBatch(encoder, message);
      });
      // Its first frame tells the names, the second uses them: like all frames of a link but one.
      const sender = dataEncoder();
      const decoder = new LinkDecoder(nodeFrameLimits);
      decoder.become("data");
      let count = 0;
      const take = (): void => {
        count += 1;
      };
      decode(decoder, encodeBatch(sender, message), take);
      const frame = encodeBatch(sender, message);
      bench.add(`decode a batch of ${String(batch)} ${message.type} messages`, () => {
        count = 0;
        decode(decoder, frame, take);
        if (count !== batch) throw new Error(`${String(count)} messages of ${String(batch)}`);
      });
    }
  },
};

function dataEncoder(): LinkEncoder {
  const encoder = new LinkEncoder(nodeFrameLimits);
  encoder.become("data");
  return encoder;
}

function encodeBatch(encoder: LinkEncoder, message: Message): Uint8Array {
  for (let index = 0; index < batch; index++) encoder.write(message);
  const frame = encoder.take();
  if (frame === undefined) throw new Error("no frame");
  return frame;
}

function decode(decoder: LinkDecoder, frame: Uint8Array, take: () => void): void {
  const advice = decoder.decode(frame, take);
  if (advice !== undefined) throw new Error(advice.reason);
}
