/**
 * Messages ⇄ frames, one encoder and one decoder per connection. A frame is a version byte and
 * messages, each a type, a length and a payload; `README.md` has the bytes.
 *
 * The decoder stands between the network and everything else: whatever the bytes are, it hands out
 * messages or advises to close, and never throws by itself, never reads past a frame and never
 * allocates for more than the frame holds. It follows the hand shake on its own: before it only a
 * hello of at most 8 KiB is read, and what a client may send afterwards is not what a node may.
 */
import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { MalformedBytes } from "../codec/malformed.ts";
import { assert } from "../model/assert.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { oversizedInput, readReply, writeCall } from "./call-codec.ts";
import { closeCodes } from "./close-codes.ts";
import type { CloseAdvice } from "./close-codes.ts";
import type { EncodedTable } from "./encoded-table.ts";
import type { CallKeys, Incoming, Outgoing } from "./field.ts";
import { ReceiverNames, SenderNames } from "./link-names.ts";
import { linkRules } from "./link-rules.ts";
import type { LinkKind, LinkRules } from "./link-rules.ts";
import type { Codecs, MessageCodec } from "./message-codecs.ts";
import { messageCodes } from "./message-codes.ts";
import type { HelloMessage, Message } from "./messages.ts";

/**
 * First byte of every frame: the layout of frames and of the hand shake (hello, welcome, refused),
 * which must be readable before a protocol version is agreed on, and so hardly ever changes.
 */
const frameVersion = 1;

const { call: callCode, hello: helloCode, reply: replyCode } = messageCodes;

/** What an end of a connection lets in. */
export interface FrameLimits {
  /** For the transport: nothing larger may come at any time. */
  readonly maxFrameBytes: number;
  /** What a connection that this end dialled becomes when it is welcomed. */
  readonly afterWelcome: LinkKind;
  /** The messages that it knows: clients carry no code for those of nodes. */
  readonly codecs: Codecs;
}

/**
 * Collects messages into frames. Nothing is sent by itself: after a batch of `write`, call `take`
 * until it returns `undefined`.
 */
export class LinkEncoder {
  readonly #to: Outgoing = {
    bytes: new ByteWriter(),
    names: new SenderNames(linkRules.greeting),
  };
  readonly #codecs: Codecs;
  /** Most of what a node writes: it is not looked up each time. */
  readonly #reply: MessageCodec;
  #rules: LinkRules = linkRules.greeting;
  readonly #sealed: Uint8Array[] = [];
  #sealedBytes = 0;

  constructor({ codecs }: Pick<FrameLimits, "codecs">) {
    this.#codecs = codecs;
    this.#reply = codecs.byType.reply;
  }

  /** Bytes written and not yet taken. */
  get pendingBytes(): number {
    return this.#sealedBytes + this.#to.bytes.length;
  }

  /** Says what this direction carries from now on; hello and welcome do it by themselves. */
  become(kind: LinkKind): void {
    this.#rules = linkRules[kind];
    this.#to.names.setLimits(this.#rules);
  }

  /**
   * Adds a message to the frame. When it throws, nothing of the message was added.
   * @throws LatticeError `too_large` above the limit of the link, `invalid_argument` for a name or
   *   key that no receiver would take
   */
  write(message: Message): void {
    const { bytes, names } = this.#to;
    const mark = bytes.length;
    try {
      if (mark === 0) bytes.u8(frameVersion);
      this.#writeBlock(message);
    } catch (error) {
      bytes.truncate(mark);
      names.forget();
      throw error;
    }
    names.keep();
    if (bytes.length >= this.#rules.sealBytes) this.#seal();
    if (message.type === "hello") this.become(kindAfterHello(message));
    else if (message.type === "welcome" && this.#rules.kind === "greeting") this.become("data");
  }

  /**
   * Adds a table that was encoded for many links.
   * @throws LatticeError `too_large` as `write` does
   */
  writeTable({ payload }: EncodedTable): void {
    const { bytes } = this.#to;
    const mark = bytes.length;
    try {
      if (mark === 0) bytes.u8(frameVersion);
      bytes.u8(messageCodes.table);
      const block = bytes.openBlock();
      bytes.raw(payload);
      this.#close("table", block);
    } catch (error) {
      bytes.truncate(mark);
      throw error;
    }
    if (bytes.length >= this.#rules.sealBytes) this.#seal();
  }

  #writeBlock(message: Message): void {
    const to = this.#to;
    const { bytes } = to;
    if (message.type === "call") {
      const refused = this.#rules.kind === "from-client" ? oversizedInput(message) : undefined;
      if (refused !== undefined) throw refused;
      bytes.u8(callCode);
      const block = bytes.openBlock();
      writeCall(to, message);
      this.#close(message.type, block);
    } else if (message.type === "reply") {
      bytes.u8(replyCode);
      const block = bytes.openBlock();
      this.#reply.write(to, message);
      this.#close(message.type, block);
    } else {
      const codec = this.#codecs.byType[message.type];
      assert(codec !== undefined, `a client sends no ${message.type}`);
      bytes.u8(codec.code);
      const block = bytes.openBlock();
      codec.write(to, message);
      this.#close(message.type, block);
    }
  }

  #close(type: Message["type"], block: number): void {
    const { bytes } = this.#to;
    const length = bytes.length - block;
    if (length > this.#rules.messageBytesMax) {
      const size = `${length.toLocaleString("en-US")} bytes`;
      const most = this.#rules.messageBytesMax.toLocaleString("en-US");
      const where = `on a ${this.#rules.kind} link`;
      throw new LatticeError("too_large", `a ${type} of ${size}, at most ${most} ${where}`);
    }
    bytes.closeBlock(block);
  }

  /** The next frame, or `undefined` when all are taken. It is not written to again. */
  take(): Uint8Array | undefined {
    const sealed = this.#sealed.shift();
    if (sealed !== undefined) {
      this.#sealedBytes -= sealed.length;
      return sealed;
    }
    return this.#to.bytes.length === 0 ? undefined : this.#to.bytes.take();
  }

  #seal(): void {
    const frame = this.#to.bytes.take();
    this.#sealed.push(frame);
    this.#sealedBytes += frame.length;
  }
}

export class LinkDecoder {
  readonly #from: Incoming;
  readonly #codecs: Codecs;
  /** Most of what a node reads. */
  readonly #call: MessageCodec;
  readonly #afterWelcome: LinkKind;
  #rules: LinkRules = linkRules.greeting;
  #isDecoding = false;
  #advice: CloseAdvice | undefined;

  /** @param keys in which calls find their `keySlot` */
  constructor(frameLimits: FrameLimits, keys?: CallKeys) {
    this.#from = {
      bytes: new ByteReader(),
      names: new ReceiverNames(linkRules.greeting),
      keys,
    };
    this.#codecs = frameLimits.codecs;
    this.#call = frameLimits.codecs.byType.call;
    this.#afterWelcome = frameLimits.afterWelcome;
  }

  /** What the connection has become by the hand shake so far. */
  get kind(): LinkKind {
    return this.#rules.kind;
  }

  /** Says what this direction carries from now on; hello and welcome do it by themselves. */
  become(kind: LinkKind): void {
    this.#rules = linkRules[kind];
    this.#from.names.setLimits(this.#rules);
  }

  /**
   * Hands the messages of a frame to `handler`, in order and at once; their payloads are views into
   * the frame. Returns what to close the connection with when the frame is bad: messages before the
   * bad one have been handed out. Throws only what `handler` throws.
   */
  decode(frame: Uint8Array, handler: (message: Message) => void): CloseAdvice | undefined {
    assert(!this.#isDecoding, "a frame arrived while another was being handled");
    if (frame.length > this.#rules.frameBytesMax) return tooLarge("frame", frame.length);
    const { bytes } = this.#from;
    bytes.reset(frame);
    if (bytes.remaining === 0) return malformed("an empty frame");
    const version = bytes.u8();
    if (version !== frameVersion) {
      const reason = `frame version ${String(version)}, this node reads ${String(frameVersion)}`;
      return { code: closeCodes.protocol, reason };
    }
    this.#isDecoding = true;
    try {
      while (bytes.remaining > 0) {
        const message = this.#next(frame);
        if (message === undefined) return this.#advice;
        this.#follow(message);
        handler(message);
      }
    } finally {
      this.#isDecoding = false;
      // Keeps no frame alive between two of them.
      bytes.reset(nothing);
    }
    return undefined;
  }

  /** The next message, or `undefined` and why not in `#advice`. */
  #next(frame: Uint8Array): Message | undefined {
    const { bytes } = this.#from;
    const code = bytes.u8();
    try {
      if (this.#rules.accepts[code] !== 1) {
        const problem = `${nameOf(code)} is not accepted on a ${this.#rules.kind} link`;
        this.#advice = malformed(problem);
        return undefined;
      }
      const length = bytes.varint();
      if (length > this.#rules.messageBytesMax) {
        this.#advice = tooLarge(nameOf(code), length);
        return undefined;
      }
      if (code === helloCode && frame.length > limits.helloFrameBytesMax) {
        this.#advice = tooLarge("frame with a hello", frame.length);
        return undefined;
      }
      return this.#read(code, length);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      const at = String(bytes.position);
      this.#advice = malformed(`${nameOf(code)} ${error.message} at byte ${at}`);
      return undefined;
    }
  }

  #read(code: number, length: number): Message {
    const from = this.#from;
    const outer = from.bytes.narrow(length);
    const message =
      code === callCode
        ? this.#call.read(from)
        : code === replyCode
          ? readReply(from)
          : this.#codecs.byCode[code]!.read(from);
    from.bytes.finish();
    from.bytes.widen(outer);
    return message;
  }

  #follow(message: Message): void {
    if (message.type === "hello") this.become(kindAfterHello(message));
    else if (message.type === "welcome") this.become(this.#afterWelcome);
  }
}

const nothing = new Uint8Array(0);

function kindAfterHello(hello: HelloMessage): LinkKind {
  return hello.node === undefined ? "from-client" : hello.channel;
}

function nameOf(code: number): string {
  const entry = Object.entries(messageCodes).find(([, known]) => known === code);
  return entry === undefined ? `message ${String(code)}` : entry[0];
}

function malformed(reason: string): CloseAdvice {
  return { code: closeCodes.malformed, reason: reason.slice(0, 123) };
}

function tooLarge(what: string, length: number): CloseAdvice {
  return { code: closeCodes.tooLarge, reason: `a ${what} of ${String(length)} bytes is too large` };
}
