/**
 * One connection seen as a stream of messages. What is sent during one turn of the event loop leaves
 * as one frame, or as a few large ones: batching is worth more than any codec. What arrives is
 * decoded here and nowhere else, so bytes that make no sense end at this border: they close the
 * connection with a code that says why, and nothing above ever sees them.
 */
import type { Timers } from "../platform/platform.ts";
import type { CallKeys } from "../wire/field.ts";
import { LinkDecoder, LinkEncoder, type FrameLimits } from "../wire/link-codec.ts";
import type { EncodedTable } from "../wire/encoded-table.ts";
import type { LinkKind } from "../wire/link-rules.ts";
import type { CallMessage, Message } from "../wire/messages.ts";
import type { CloseReason, Connection, ConnectionHandlers, Transport } from "./transport.ts";

/** A frame of so many messages leaves before its turn of the event loop is over. */
const batchMessagesMax = 256;
/**
 * What a frame was answered with leaves when the frame has been worked through, if it is so much: the
 * other end works on it while this one goes on with the next frame. Less than that waits for the end
 * of the turn, because a frame of its own would cost more than it gains.
 */
const answersWorthAFrame = 32;

export interface MessageHandlers {
  /** Only for dialled channels. */
  open?(): void;
  message(message: Message): void;
  /** Calls that came one behind the other in a frame; without it each comes as a `message`. */
  calls?(calls: readonly CallMessage[]): void;
  /** Called exactly once. */
  closed(code: number, reason: CloseReason): void;
  /** The peer reads again after `bufferedBytes` had been above the high-water mark. */
  drain?(): void;
}

export interface ChannelOptions {
  readonly timers: Timers;
  readonly limits: FrameLimits;
  /** In which incoming calls find their `keySlot`. */
  readonly keys?: CallKeys;
  readonly handlers: MessageHandlers;
}

export class MessageChannel {
  readonly #timers: Timers;
  readonly #handlers: MessageHandlers;
  readonly #encoder: LinkEncoder;
  readonly #decoder: LinkDecoder;
  /** Calls of the frame that is being read, to be handed over together. */
  #calls: CallMessage[] = [];
  readonly #receive = (message: Message): void => {
    if (message.type === "call" && this.#handlers.calls !== undefined) {
      this.#calls.push(message);
    } else {
      this.#handOver();
      this.#handlers.message(message);
    }
  };
  readonly #flush = (): void => {
    this.flush();
  };
  /** What the transport calls. */
  readonly #events: ConnectionHandlers = {
    open: () => this.#handlers.open?.(),
    frame: (frame) => {
      this.#decode(frame);
    },
    close: (code, reason) => {
      this.#handlers.closed(code, reason);
    },
    drain: () => this.#handlers.drain?.(),
  };
  #connection: Connection | undefined;
  #flushDue = false;
  /** Messages since the last frame. */
  #batched = 0;

  private constructor(options: ChannelOptions) {
    this.#timers = options.timers;
    this.#handlers = options.handlers;
    this.#encoder = new LinkEncoder(options.limits);
    this.#decoder = new LinkDecoder(options.limits, options.keys);
  }

  /** Opens a connection to `address`; the outcome arrives through the handlers. */
  static dial(
    transport: Transport,
    address: string,
    options: ChannelOptions & { readonly timeoutMs?: number },
  ): MessageChannel {
    const channel = new MessageChannel(options);
    channel.#connection = transport.dial(address, channel.#events, {
      maxFrameBytes: options.limits.maxFrameBytes,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
    });
    return channel;
  }

  /** Takes over an accepted connection; `events` goes back to the transport. */
  static accept(
    connection: Connection,
    options: ChannelOptions,
  ): { readonly channel: MessageChannel; readonly events: ConnectionHandlers } {
    const channel = new MessageChannel(options);
    channel.#connection = connection;
    return { channel, events: channel.#events };
  }

  get isOpen(): boolean {
    return this.#connection?.state === "open";
  }

  get remoteAddress(): string {
    return this.#connection?.remoteAddress ?? "";
  }

  /** Messages that wait for the end of this turn. */
  get batchedCount(): number {
    return this.#batched;
  }

  /** Bytes not yet handed to the operating system, this turn's batch included. */
  get bufferedBytes(): number {
    return this.#encoder.pendingBytes + (this.#connection?.bufferedBytes ?? 0);
  }

  /**
   * The hand shake is over: what this channel carries from now on, in both directions. The codec
   * follows hello and welcome by itself, but the dialling side cannot see in a welcome which of its
   * channels was welcomed, nor the accepting side in its own.
   */
  become(kinds: { readonly incoming: LinkKind; readonly outgoing: LinkKind }): void {
    this.#decoder.become(kinds.incoming);
    this.#encoder.become(kinds.outgoing);
  }

  /**
   * Adds a message to this turn's frame. Dropped when the connection is not open.
   * @throws LatticeError `too_large`, `invalid_argument` for a message that may not cross this
   *   channel; nothing of it is sent, and the channel is as it was
   */
  send(message: Message): void {
    if (this.#connection?.state !== "open") return;
    this.#encoder.write(message);
    this.#wrote();
  }

  /**
   * Adds a table that many channels get alike.
   * @throws LatticeError `too_large` as `send` does
   */
  sendTable(table: EncodedTable): void {
    if (this.#connection?.state !== "open") return;
    this.#encoder.writeTable(table);
    this.#wrote();
  }

  #wrote(): void {
    this.#batched += 1;
    if (this.#batched >= batchMessagesMax) this.#sendBatch();
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#timers.defer(this.#flush);
  }

  /** Sends what waits now instead of at the end of this turn. */
  flush(): void {
    this.#flushDue = false;
    this.#sendBatch();
  }

  #sendBatch(): void {
    this.#batched = 0;
    const connection = this.#connection;
    if (connection === undefined) return;
    for (let frame = this.#encoder.take(); frame !== undefined; frame = this.#encoder.take()) {
      connection.send(frame);
    }
  }

  /** Sends what waits, then closes with a hand shake. */
  close(code: number, reason: string): void {
    this.flush();
    this.#connection?.close(code, reason);
  }

  /** Drops the connection now. */
  terminate(): void {
    this.#connection?.terminate();
  }

  #handOver(): void {
    if (this.#calls.length === 0) return;
    const calls = this.#calls;
    this.#calls = [];
    this.#handlers.calls?.(calls);
  }

  #decode(frame: Uint8Array): void {
    const advice = this.#decoder.decode(frame, this.#receive);
    this.#handOver();
    if (this.#batched >= answersWorthAFrame) this.#sendBatch();
    if (advice !== undefined) this.close(advice.code, advice.reason);
  }
}
