/**
 * Names that repeat (functions, handlers, callers, nodes, processes) cross a link once and are a small
 * number from then on. Each direction of a connection has a table: the sender decides which slot a
 * name gets and says so where it first uses it, in the same ordered stream as the message, so the two
 * ends cannot disagree. The table is bounded; when it is full the oldest slot is used again.
 *
 * On the wire a name is one varint: 0 is the empty name, 1 is followed by a string that gets no slot,
 * 2 + 2 · slot is the name in that slot, 3 + 2 · slot puts the string that follows into it.
 */
import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { MalformedBytes } from "../codec/malformed.ts";
import { utf8Length } from "../codec/utf8.ts";
import { LatticeError } from "../model/error.ts";

/** How much a receiver keeps for one direction of one connection. */
export interface NameLimits {
  readonly namesMax: number;
  readonly nameBytesMax: number;
}

/** No name may be longer, with a slot or without. */
const inlineNameBytesMax = 1024;

const emptyName = 0;
const inlineName = 1;
const firstSlot = 2;

export class SenderNames {
  readonly #slots = new Map<string, number>();
  readonly #names: string[] = [];
  /** Slots that the message now being written has filled. */
  readonly #fresh: number[] = [];
  #next = 0;
  #limits: NameLimits;

  constructor(limits: NameLimits) {
    this.#limits = limits;
  }

  /** Takes other limits, before any name has a slot. */
  setLimits(limits: NameLimits): void {
    this.#limits = limits;
  }

  write(to: ByteWriter, name: string): void {
    const slot = this.#slots.get(name);
    if (slot !== undefined) to.varint(firstSlot + 2 * slot);
    else if (name === "") to.varint(emptyName);
    else if (byteLength(name) <= this.#limits.nameBytesMax) this.#define(to, name);
    else this.writeInline(to, name);
  }

  /** For names that will hardly come again. */
  writeInline(to: ByteWriter, name: string): void {
    if (byteLength(name) > inlineNameBytesMax) {
      const most = String(inlineNameBytesMax);
      throw new LatticeError("invalid_argument", `a name is longer than ${most} bytes`);
    }
    to.varint(name === "" ? emptyName : inlineName);
    if (name !== "") to.string(name);
  }

  #define(to: ByteWriter, name: string): void {
    const slot = this.#next;
    this.#next = (slot + 1) % this.#limits.namesMax;
    const previous = this.#names[slot];
    if (previous !== undefined) this.#slots.delete(previous);
    this.#names[slot] = name;
    this.#slots.set(name, slot);
    this.#fresh.push(slot);
    to.varint(firstSlot + 2 * slot + 1);
    to.string(name);
  }

  /** The message was written: what it defined stays. */
  keep(): void {
    if (this.#fresh.length > 0) this.#fresh.length = 0;
  }

  /** The message was taken back: the receiver will never see what it defined. */
  forget(): void {
    for (const slot of this.#fresh) {
      this.#slots.delete(this.#names[slot]!);
      this.#names[slot] = "";
    }
    // Slots are filled in order, so the next name goes where the first of these was to go.
    this.#next = this.#fresh[0] ?? this.#next;
    this.#fresh.length = 0;
  }
}

export class ReceiverNames {
  readonly #names: string[] = [];
  #limits: NameLimits;

  constructor(limits: NameLimits) {
    this.#limits = limits;
  }

  setLimits(limits: NameLimits): void {
    this.#limits = limits;
  }

  /** @throws MalformedBytes for a slot that nothing was put into or that is beyond the limits */
  read(from: ByteReader): string {
    const code = from.varint();
    if (code === emptyName) return "";
    if (code === inlineName) return from.string(inlineNameBytesMax);
    const slot = Math.floor((code - firstSlot) / 2);
    if (code % 2 === 0) {
      const name = this.#names[slot];
      if (name === undefined) throw new MalformedBytes(`uses the unknown name ${String(slot)}`);
      return name;
    }
    // Slots are filled in order, so a gap is as wrong as a slot too many.
    if (slot >= this.#limits.namesMax || slot > this.#names.length) {
      throw new MalformedBytes(`puts a name into slot ${String(slot)}`);
    }
    const name = from.string(this.#limits.nameBytesMax);
    this.#names[slot] = name;
    return name;
  }
}

function byteLength(name: string): number {
  // Three bytes a unit is the most there can be; only then is it worth counting.
  return name.length * 3 <= 64 ? name.length : utf8Length(name);
}
