/**
 * The type of a field as a short string that travels with the state, so that it can be applied,
 * merged and encoded where the function's definition is unknown: one letter per kind, outside in.
 * `mmc` is a map of maps of counters. A field is known by tag and name (`mmc/lines`): after a change
 * of a field's kind, commits of the old and the new definition do not meet.
 */
import type { Kind, MapKind } from "../definition/kinds.ts";
import { LatticeError } from "../model/error.ts";

/** What the innermost letter of a tag stands for in state. */
export type LeafType = "counter" | "cell";

/** Where an entity keeps its own time of expiry: no field of a user has an empty name. */
export const expiryField = "r/";
/** Where it keeps its timers, by id. */
export const timersField = "v/";

const letters: Readonly<Record<string, string>> = {
  counter: "c",
  max: "x",
  min: "n",
  register: "r",
  flag: "f",
  set: "s",
  map: "m",
  "value-map": "v",
  text: "t",
};

const tagPattern = /^m{0,8}[cxnrfsv]$/;

/** The tag of a kind. @throws LatticeError `invalid_argument` */
export function tagOf(kind: Kind<unknown, unknown, unknown>, path: string): string {
  const letter = letters[kind.kind];
  if (letter === undefined) {
    throw new LatticeError("invalid_argument", `${path}: '${kind.kind}' is not a kind of state`);
  }
  if (kind.kind !== "map") return letter;
  const inner = (kind as MapKind<unknown, unknown>).of;
  if (inner.kind === "text") {
    const advice = "declare the text as a field, or use one key of the function per text";
    throw new LatticeError("invalid_argument", `${path}: a map cannot hold texts; ${advice}`);
  }
  return letter + tagOf(inner, path);
}

/** The key of a field in the entity. */
export function fieldKey(tag: string, name: string): string {
  return `${tag}/${name}`;
}

/** How many steps a path of this field has, the field itself included; 0: not a field of scalars. */
export function pathLengthOf(field: string): number {
  const tag = field.slice(0, Math.max(0, field.indexOf("/")));
  if (!tagPattern.test(tag)) return 0;
  const leaf = tag.charCodeAt(tag.length - 1);
  return tag.length + (leaf === 0x73 || leaf === 0x76 ? 1 : 0);
}

/** What is at the end of a full path of this field. */
export function leafOf(field: string): LeafType {
  return field.charCodeAt(field.indexOf("/") - 1) === 0x63 ? "counter" : "cell";
}
