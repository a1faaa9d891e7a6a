/**
 * Codecs built from small pieces. One description gives both directions, so that what is written and
 * what is read cannot drift apart, and the types make a message field without a description an error.
 * Only messages that are not sent per call are made this way; those are written out by hand
 * (`call-codec.ts`).
 */
import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import type { KeyTable } from "../codec/key-table.ts";
import { MalformedBytes } from "../codec/malformed.ts";
import { utf8Length } from "../codec/utf8.ts";
import { assert } from "../model/assert.ts";
import { LatticeError } from "../model/error.ts";
import type { ReceiverNames, SenderNames } from "./link-names.ts";

/** One direction of a connection, as its sender has it. */
export interface Outgoing {
  readonly bytes: ByteWriter;
  readonly names: SenderNames;
}

/** What a receiver has for the keys that are called: in it calls find their `keySlot`. */
export type CallKeys = KeyTable<unknown>;

/** One direction of a connection, as its receiver has it. */
export interface Incoming {
  readonly bytes: ByteReader;
  readonly names: ReceiverNames;
  readonly keys: CallKeys | undefined;
}

export interface Field<T> {
  /** The fewest bytes a value takes, ≥ 1: bounds how long a list can claim to be. */
  readonly bytesMin: number;
  write(to: Outgoing, value: T): void;
  /** @throws MalformedBytes */
  read(from: Incoming): T;
}

/** An integer of 0 … 2^53 − 1. */
export const varint: Field<number> = {
  bytesMin: 1,
  write(to, value) {
    to.bytes.varint(value);
  },
  read(from) {
    return from.bytes.varint();
  },
};

/** A duration: rounded up to whole milliseconds, never negative. */
export const milliseconds: Field<number> = {
  bytesMin: 1,
  write(to, value) {
    to.bytes.varint(Math.max(0, Math.ceil(value)));
  },
  read(from) {
    return from.bytes.varint();
  },
};

/** Any number. */
export const float: Field<number> = {
  bytesMin: 8,
  write(to, value) {
    to.bytes.f64(value);
  },
  read(from) {
    return from.bytes.f64();
  },
};

export const bool: Field<boolean> = {
  bytesMin: 1,
  write(to, value) {
    to.bytes.u8(value ? 1 : 0);
  },
  read(from) {
    const value = from.bytes.u8();
    if (value > 1) throw new MalformedBytes("has a flag that is neither 0 nor 1");
    return value === 1;
  },
};

/** A name that repeats on this link; see `link-names.ts`. */
export const name: Field<string> = {
  bytesMin: 1,
  write(to, value) {
    to.names.write(to.bytes, value);
  },
  read(from) {
    return from.names.read(from.bytes);
  },
};

/** A byte string; what is read is a view into the frame. */
export const view: Field<Uint8Array> = {
  bytesMin: 1,
  write(to, value) {
    to.bytes.bytes(value);
  },
  read(from) {
    return from.bytes.bytes();
  },
};

/** A string of at most `bytesMax` bytes; writing a longer one throws `invalid_argument`. */
export function text(bytesMax: number): Field<string> {
  return {
    bytesMin: 1,
    write(to, value) {
      if (value.length * 3 > bytesMax && utf8Length(value) > bytesMax) {
        const start = JSON.stringify(value.slice(0, 32));
        const problem = `the string ${start}… is longer than ${String(bytesMax)} bytes`;
        throw new LatticeError("invalid_argument", problem);
      }
      to.bytes.string(value);
    },
    read(from) {
      return from.bytes.string(bytesMax);
    },
  };
}

const proseLengthMax = 2_000;

/** Text for people: cut to 2,000 characters rather than refused. */
export const prose: Field<string> = {
  bytesMin: 1,
  write(to, value) {
    to.bytes.string(
      value.length <= proseLengthMax ? value : `${value.slice(0, proseLengthMax - 1)}…`,
    );
  },
  read(from) {
    return from.bytes.string(proseLengthMax * 3);
  },
};

/** One of a fixed list of strings, as its index: append to the list, never reorder it. */
export function oneOf<T extends string>(values: readonly T[]): Field<T> {
  return {
    bytesMin: 1,
    write(to, value) {
      const index = values.indexOf(value);
      assert(index >= 0, `${value} has no number on the wire`);
      to.bytes.u8(index);
    },
    read(from) {
      const value = values[from.bytes.u8()];
      if (value === undefined) throw new MalformedBytes("has an unknown choice");
      return value;
    },
  };
}

export function list<T>(item: Field<T>, countMax: number): Field<readonly T[]> {
  return {
    bytesMin: 1,
    write(to, values) {
      if (values.length > countMax) {
        const problem = `a list of ${String(values.length)} items, at most ${String(countMax)}`;
        throw new LatticeError("too_large", problem);
      }
      to.bytes.varint(values.length);
      for (const value of values) item.write(to, value);
    },
    read(from) {
      const count = from.bytes.count(countMax, item.bytesMin);
      const values: T[] = [];
      for (let index = 0; index < count; index += 1) values.push(item.read(from));
      return values;
    },
  };
}

/** A value that may be `undefined`. */
export function optional<T>(of: Field<T>): Field<T | undefined> {
  return {
    bytesMin: 1,
    write(to, value) {
      bool.write(to, value !== undefined);
      if (value !== undefined) of.write(to, value);
    },
    read(from) {
      return bool.read(from) ? of.read(from) : undefined;
    },
  };
}

/** A property that may be missing, as against one that is there and `undefined`. */
export interface Absent<T> {
  readonly absent: Field<T | undefined>;
}

export function absent<T>(of: Field<T>): Absent<T> {
  return { absent: optional(of) };
}

/** For every property of `T` how it is written, in the order of the wire. */
export type FieldsOf<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K>
    ? Absent<Exclude<T[K], undefined>>
    : Field<T[K]>;
};

export function struct<T extends object>(fields: FieldsOf<T>): Field<T> {
  return compile<T>(fields, undefined);
}

/** One member of a union: its number on the wire and its fields but for `type`. */
export interface Variant<M extends { readonly type: string }> {
  readonly code: number;
  readonly fields: FieldsOf<Omit<M, "type">>;
}

type Variants<M extends { readonly type: string }> = {
  readonly [K in M["type"]]: Variant<Extract<M, { readonly type: K }>>;
};

/** A union discriminated by `type`, as a byte and the fields of that member. */
export function union<M extends { readonly type: string }>(variants: Variants<M>): Field<M> {
  const byCode: (Field<M> | undefined)[] = [];
  const byType = new Map<string, { readonly code: number; readonly field: Field<M> }>();
  // The mapped type knows more than can be said of its entries one by one.
  const entries = Object.entries(variants as unknown as Readonly<Record<string, Variant<M>>>);
  for (const [type, { code, fields }] of entries) {
    assert(byCode[code] === undefined, `two members of a union have the number ${String(code)}`);
    const field = compile<M>(fields, type);
    byCode[code] = field;
    byType.set(type, { code, field });
  }
  return {
    bytesMin: 1,
    write(to, value) {
      const variant = byType.get(value.type);
      assert(variant !== undefined, `${value.type} has no number on the wire`);
      to.bytes.u8(variant.code);
      variant.field.write(to, value);
    },
    read(from) {
      const code = from.bytes.u8();
      const field = byCode[code];
      if (field === undefined) throw new MalformedBytes(`has the unknown kind ${String(code)}`);
      return field.read(from);
    },
  };
}

type Properties = Record<string, unknown>;

/** A struct; with `type`, its objects carry that as their first property. */
export function compile<T extends object>(fields: object, type: string | undefined): Field<T> {
  const keys = Object.keys(fields);
  const optionals = Object.values(fields).map((field: object) => "absent" in field);
  const codecs = Object.values(fields).map((field: Field<unknown> | Absent<unknown>) =>
    "absent" in field ? field.absent : field,
  );
  let bytesMin = 0;
  for (const codec of codecs) bytesMin += codec.bytesMin;
  return {
    bytesMin: Math.max(1, bytesMin),
    write(to, value) {
      for (let index = 0; index < keys.length; index += 1) {
        codecs[index]!.write(to, (value as Properties)[keys[index]!]);
      }
    },
    read(from) {
      const value: Properties = type === undefined ? {} : { type };
      for (let index = 0; index < keys.length; index += 1) {
        const property = codecs[index]!.read(from);
        if (property !== undefined || !optionals[index]!) value[keys[index]!] = property;
      }
      return value as T;
    },
  };
}
