/** One direction of a connection, without a network. */
import { noSlot } from "../../src/codec/key-table.ts";
import { LinkDecoder, LinkEncoder } from "../../src/wire/link-codec.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type { LinkKind } from "../../src/wire/link-rules.ts";
import type { CloseAdvice } from "../../src/wire/close-codes.ts";
import type { Message } from "../../src/wire/messages.ts";

export class Link {
  readonly encoder = new LinkEncoder(nodeFrameLimits);
  readonly decoder = new LinkDecoder(nodeFrameLimits);

  constructor(kind: LinkKind = "data") {
    this.encoder.become(kind);
    this.decoder.become(kind);
  }

  /** The frames that these messages make. */
  frames(messages: readonly Message[]): readonly Uint8Array[] {
    for (const message of messages) this.encoder.write(message);
    const frames: Uint8Array[] = [];
    for (let frame = this.encoder.take(); frame !== undefined; frame = this.encoder.take()) {
      frames.push(frame);
    }
    return frames;
  }

  /** What comes out at the other end. */
  pass(messages: readonly Message[]): readonly Message[] {
    return this.frames(messages).flatMap((frame) => this.receive(frame).messages);
  }

  receive(frame: Uint8Array): {
    readonly messages: readonly Message[];
    readonly advice: CloseAdvice | undefined;
  } {
    const messages: Message[] = [];
    const advice = this.decoder.decode(frame, (message) => messages.push(message));
    return { messages, advice };
  }
}

export function callMessage(
  changes: Partial<Extract<Message, { readonly type: "call" }>> = {},
): Extract<Message, { readonly type: "call" }> {
  return {
    type: "call",
    id: 1,
    partition: 2,
    tableId: 3,
    hop: 1,
    functionName: "cart",
    key: "alice",
    keySlot: noSlot,
    operation: "add",
    caller: "",
    number: 0,
    received: 0,
    timeoutMs: 500,
    acks: 0,
    flags: 0,
    ageTime: 0,
    ageId: "",
    chain: [],
    seen: undefined,
    trace: "",
    input: new Uint8Array(0),
    ...changes,
  };
}
