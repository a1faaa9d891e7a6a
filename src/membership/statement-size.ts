/**
 * Sizes of statements on the wire, estimated from above: this room does not encode, but must keep
 * its messages within one control frame.
 */
import type { MemberUpdate } from "../wire/membership-messages.ts";

/** Numbers, flags, lengths and tags of one statement. */
const fixedBytes = 50;

/** Length in UTF-8; a lone surrogate counts as its replacement character. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}

export function statementBytes({ node, address, zone, from }: MemberUpdate): number {
  return fixedBytes + utf8Bytes(node) + utf8Bytes(address) + utf8Bytes(zone) + utf8Bytes(from);
}

/** Cuts a list into messages, none over the limits; one empty message for an empty list. */
export function splitStatements(
  statements: readonly MemberUpdate[],
  bytesMax: number,
  countMax: number,
): readonly (readonly MemberUpdate[])[] {
  let part: MemberUpdate[] = [];
  let bytes = 0;
  const parts = [part];
  for (const statement of statements) {
    const size = statementBytes(statement);
    if (part.length > 0 && (bytes + size > bytesMax || part.length >= countMax)) {
      part = [];
      bytes = 0;
      parts.push(part);
    }
    part.push(statement);
    bytes += size;
  }
  return parts;
}
