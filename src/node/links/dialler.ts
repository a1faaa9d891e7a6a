/**
 * Dials addresses and takes the hand shake to its end. At most one attempt per address and channel
 * is under way; failed ones are tried again with full-jitter exponential back-off (Brooker 2015).
 */
import type { Platform, Timer } from "../../platform/platform.ts";
import { MessageChannel, type MessageHandlers } from "../../transport/message-channel.ts";
import type { CloseReason, Transport } from "../../transport/transport.ts";
import { closeCodes } from "../../wire/close-codes.ts";
import { nodeFrameLimits } from "../../wire/node-codecs.ts";
import type { Message, NodeIdentity, RefusedMessage } from "../../wire/messages.ts";
import { helloFor, type LocalIdentity } from "./handshake.ts";
import type { LinkChannel } from "./peer-link.ts";

const firstBackOffMs = 100;
const longestBackOffMs = 10_000;
/** Instead of the first back-off, where somebody was there a moment ago. */
const hungUpBackOffMs = 10;
/** Connecting and the answer to hello together. */
const dialTimeoutMs = 5_000;

export type DialOutcome =
  | {
      readonly type: "welcomed";
      readonly kind: LinkChannel;
      readonly peer: NodeIdentity;
      readonly channel: MessageChannel;
      /** Says who gets what the channel brings from now on. */
      adopt(handlers: MessageHandlers): void;
    }
  | { readonly type: "refused-hello"; readonly refused: RefusedMessage }
  /** The machine answers, and nobody listens there. */
  | { readonly type: "nobody" }
  /** Somebody was there and broke the connection: so does a process that ends, whose door closes last. */
  | { readonly type: "hung-up"; readonly message: string }
  | { readonly type: "unreachable"; readonly message: string };

export interface DiallerOptions {
  readonly platform: Platform;
  readonly transport: Transport;
  local(): LocalIdentity;
  done(
    attempt: { readonly address: string; readonly kind: LinkChannel },
    outcome: DialOutcome,
  ): void;
}

export class Dialler {
  readonly #options: DiallerOptions;
  readonly #underWay = new Map<string, MessageChannel>();
  readonly #later = new Map<string, Timer>();
  readonly #failures = new Map<string, number>();
  #closed = false;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Somebody was reached who has not answered a hello yet. */
  get isGreeting(): boolean {
    for (const channel of this.#underWay.values()) if (channel.isOpen) return true;
    return false;
  }

  /** Dials now, whatever back-off there was, unless an attempt is under way. */
  dial(address: string, kind: LinkChannel): void {
    const name = `${kind} ${address}`;
    if (this.#closed || this.#underWay.has(name)) return;
    this.#later.get(address)?.cancel();
    this.#later.delete(address);
    new Attempt(this.#options, address, kind, {
      started: (channel) => this.#underWay.set(name, channel),
      done: (outcome) => {
        this.#underWay.delete(name);
        if (!this.#closed) this.#options.done({ address, kind }, outcome);
        else if (outcome.type === "welcomed") outcome.channel.terminate();
      },
    }).start();
  }

  /** Dials, unless that is due later anyway. */
  dialSoon(address: string): void {
    if (!this.#later.has(address)) this.dial(address, "control");
  }

  /** A link to this address stands: what failed before does not count any more. */
  forgive(address: string): void {
    this.#failures.delete(address);
  }

  /**
   * Dials again after the back-off that this address has earned.
   * @param isEnding what answered there is gone any moment now, and the next dial tells
   */
  dialLater(address: string, isEnding = false): void {
    if (this.#closed || this.#later.has(address)) return;
    const failures = (this.#failures.get(address) ?? 0) + 1;
    this.#failures.set(address, failures);
    const { timers, random } = this.#options.platform;
    const earned = Math.min(longestBackOffMs, firstBackOffMs * 2 ** Math.min(failures, 10));
    const longest = isEnding && failures === 1 ? hungUpBackOffMs : earned;
    const timer = timers.after(random() * longest, () => {
      this.#later.delete(address);
      this.dial(address, "control");
    });
    this.#later.set(address, timer);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#later.values()) timer.cancel();
    for (const channel of [...this.#underWay.values()]) channel.terminate();
  }
}

interface AttemptReport {
  started(channel: MessageChannel): void;
  done(outcome: DialOutcome): void;
}

/** One attempt: connect, hello, then exactly one outcome. */
class Attempt {
  readonly #options: DiallerOptions;
  readonly #address: string;
  readonly #kind: LinkChannel;
  readonly #report: AttemptReport;
  #channel!: MessageChannel;
  #deadline: Timer | undefined;
  #next: MessageHandlers | undefined;
  #ended = false;

  constructor(options: DiallerOptions, address: string, kind: LinkChannel, report: AttemptReport) {
    this.#options = options;
    this.#address = address;
    this.#kind = kind;
    this.#report = report;
  }

  start(): void {
    const { platform, transport } = this.#options;
    this.#channel = MessageChannel.dial(transport, this.#address, {
      timers: platform.timers,
      limits: nodeFrameLimits,
      timeoutMs: dialTimeoutMs,
      handlers: {
        open: () => {
          this.#channel.send(helloFor(this.#options.local(), this.#kind));
        },
        message: (message) => {
          if (this.#next === undefined) this.#answered(message);
          else this.#next.message(message);
        },
        closed: (code, reason) => {
          this.#closed(code, reason);
        },
        drain: () => this.#next?.drain?.(),
      },
    });
    this.#report.started(this.#channel);
    this.#deadline = platform.timers.after(dialTimeoutMs, () => {
      this.#end({ type: "unreachable", message: "no answer to hello within 5 s" });
      this.#channel.terminate();
    });
  }

  #answered(message: Message): void {
    if (message.type === "welcome") {
      this.#end({
        type: "welcomed",
        kind: this.#kind,
        peer: message.node,
        channel: this.#channel,
        adopt: (handlers) => {
          this.#next = handlers;
        },
      });
    } else if (message.type === "refused") {
      this.#end({ type: "refused-hello", refused: message });
      this.#channel.close(closeCodes.normal, "refused");
    } else {
      this.#end({ type: "unreachable", message: `answered hello with ${message.type}` });
      this.#channel.close(closeCodes.handshake, "expected welcome");
    }
  }

  #closed(code: number, reason: CloseReason): void {
    if (this.#ended) {
      this.#next?.closed(code, reason);
      return;
    }
    const { type, message } = reason;
    if (type === "refused") this.#end({ type: "nobody" });
    else this.#end({ type: type === "lost" ? "hung-up" : "unreachable", message });
  }

  #end(outcome: DialOutcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline?.cancel();
    this.#report.done(outcome);
  }
}
