/**
 * What happened in a run, in order: every frame that arrived, every fault, every call. Its hash says
 * whether two runs were the same; its last lines, decoded, are what one reads to see why a run failed.
 */
import { LinkDecoder } from "../../wire/link-codec.ts";
import { nodeFrameLimits } from "../../wire/node-codecs.ts";
import type { Message } from "../../wire/messages.ts";

/** Lines kept; older ones are dropped. */
const linesMax = 20_000;

export class Transcript {
  readonly #isReadable: boolean;
  readonly #now: () => number;
  readonly #decoders = new Map<number, LinkDecoder>();
  #lines: string[] = [];
  /** Faults alone: they are few, and none is dropped. */
  readonly events: string[] = [];
  #low = 0x811c9dc5;
  #high = 0x01000193;

  /** @param isReadable decodes every frame, which costs more than the run itself */
  constructor(now: () => number, isReadable: boolean) {
    this.#now = now;
    this.#isReadable = isReadable;
  }

  /** 16 hexadecimal digits over everything so far. */
  get hash(): string {
    return [this.#high, this.#low].map((word) => hex(word)).join("");
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  note(text: string): void {
    this.#mixNumber(this.#now());
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
    this.events.push(this.#line(text));
    if (this.#isReadable) this.#add(text);
  }

  frame(from: string, to: string, frame: Uint8Array, connection: number): void {
    this.#mixNumber(this.#now());
    this.#mix(connection);
    this.#mix(frame.length);
    for (const byte of frame) this.#mix(byte);
    if (this.#isReadable) this.#decode(`${from} → ${to}`, frame, connection);
  }

  #decode(path: string, frame: Uint8Array, connection: number): void {
    let decoder = this.#decoders.get(connection);
    if (decoder === undefined) {
      decoder = new LinkDecoder(nodeFrameLimits);
      this.#decoders.set(connection, decoder);
    }
    decoder.decode(frame, (message) => {
      for (const text of describe(message)) this.#add(`${path}  ${text}`);
    });
  }

  #add(text: string): void {
    this.#lines.push(this.#line(text));
    if (this.#lines.length > linesMax * 1.5) this.#lines = this.#lines.slice(-linesMax);
  }

  #line(text: string): string {
    return `${this.#now().toFixed(2).padStart(10)}  ${text}`;
  }

  #mixNumber(value: number): void {
    this.#mix(Math.floor(value));
    this.#mix(Math.floor((value % 1) * 1_048_576));
  }

  /** Two FNV-1a hashes that influence each other. */
  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ this.#low ^ (value >>> 3), 0x85ebca6b);
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}

/** Replication message by message, because that is where one looks. */
function describe(message: Message): string[] {
  if (message.type === "replication") {
    return message.message.entries.map(
      ({ partition, message: inner }) => `p${String(partition)} ${short(inner)}`,
    );
  }
  if (message.type === "membership") return [`membership ${short(message.message)}`];
  return [short(message)];
}

const shortLength = 400;

function short(value: unknown): string {
  const text = JSON.stringify(value, (_name, part: unknown) => {
    if (part instanceof Uint8Array) return `<${String(part.length)} bytes>`;
    return part;
  });
  return text.length > shortLength ? `${text.slice(0, shortLength)}…` : text;
}
