/**
 * The kinds of replicated state a function may declare. These are descriptors: data without
 * behaviour, so that a client can hold them without pulling in any CRDT code. `state/` gives them
 * their behaviour.
 */
import type { Value } from "../model/value.ts";

/** `Live` is what handlers hold, `View` what queries hold, `Plain` what watchers get. */
export interface Kind<Live, View, Plain> {
  readonly kind: KindName;
  readonly "~live"?: Live;
  readonly "~view"?: View;
  readonly "~plain"?: Plain;
}

export type KindName =
  "counter" | "max" | "min" | "register" | "flag" | "set" | "map" | "value-map" | "text";

export interface CounterView {
  readonly value: number;
}
/** Sums what every writer added; concurrent additions all count. */
export interface Counter extends CounterView {
  /** `by` is any finite number. */
  add(by: number): void;
}

export interface ExtremeView {
  /** `undefined` until something was observed. */
  readonly value: number | undefined;
}
export interface Extreme extends ExtremeView {
  observe(value: number): void;
}

export interface RegisterView<T> {
  readonly value: T;
}
/** The last write by (hybrid time, writer) wins. */
export interface Register<T> extends RegisterView<T> {
  set(value: T): void;
}

export interface FlagView {
  readonly value: boolean;
}
export interface Flag extends FlagView {
  enable(): void;
  disable(): void;
}

export interface SetView<T> {
  has(value: T): boolean;
  values(): IterableIterator<T>;
  readonly size: number;
}
/** An element removed by one side and added by another at the same time stays. */
export interface SetOf<T> extends SetView<T> {
  add(value: T): void;
  delete(value: T): void;
  clear(): void;
}

export interface MapView<P> {
  get(key: string): P | undefined;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<P>;
  entries(): IterableIterator<[string, P]>;
  readonly size: number;
}
/** Per key a nested kind, created by its first change. */
export interface MapOf<Live, Plain> extends MapView<Plain> {
  at(key: string): Live;
  delete(key: string): void;
  clear(): void;
}
/** Per key the last value written. */
export interface ValueMap<V> extends MapView<V> {
  set(key: string, value: V): void;
  delete(key: string): void;
  clear(): void;
}

export interface TextView {
  readonly length: number;
  toString(): string;
}
/** A `Y.Text`: concurrent edits merge character by character. */
export interface Text extends TextView {
  /** `index` in UTF-16 units, 0 … length. */
  insert(index: number, text: string): void;
  delete(index: number, length: number): void;
}

export type CounterKind = Kind<Counter, CounterView, number>;
export type ExtremeKind = Kind<Extreme, ExtremeView, number | undefined>;
export type RegisterKind<T> = Kind<Register<T>, RegisterView<T>, T> & {
  readonly default: T;
};
export type FlagKind = Kind<Flag, FlagView, boolean> & {
  readonly wins: "enable" | "disable";
};
export type SetKind<T> = Kind<SetOf<T>, SetView<T>, readonly T[]>;
export type MapKind<L, P> = Kind<MapOf<L, P>, MapView<P>, Readonly<Record<string, P>>> & {
  readonly of: Kind<L, unknown, P>;
};
export type ValueMapKind<V> = Kind<ValueMap<V>, MapView<V>, Readonly<Record<string, V>>>;
/** Only a field of the state can be a text: see `crdt.map`. */
export type TextKind = Kind<Text, TextView, string> & { readonly kind: "text" };

function counter(): CounterKind {
  return { kind: "counter" };
}
function max(): ExtremeKind {
  return { kind: "max" };
}
function min(): ExtremeKind {
  return { kind: "min" };
}
// Overloads, because a bare literal would otherwise be the only value the register takes; a union
// is given as a type argument: `crdt.register<"open" | "closed">("open")`.
function register(initial: string): RegisterKind<string>;
function register(initial: number): RegisterKind<number>;
function register(initial: boolean): RegisterKind<boolean>;
function register<T>(initial: T): RegisterKind<T>;
function register(initial: Value): RegisterKind<Value> {
  return { kind: "register", default: initial };
}
function flag(options: { readonly wins?: "enable" | "disable" } = {}): FlagKind {
  return { kind: "flag", wins: options.wins ?? "enable" };
}
function set<T>(): SetKind<T> {
  return { kind: "set" };
}
function map<V>(): ValueMapKind<V>;
// No kind comes of it, so that a state which uses it does not compile.
function map(of: TextKind): {
  readonly error: "a map cannot hold texts: use one key of the function per text";
};
function map<L, V, P>(of: Kind<L, V, P>): MapKind<L, P>;
function map(of?: Kind<unknown, unknown, unknown>): unknown {
  return of === undefined ? { kind: "value-map" } : { kind: "map", of };
}
function text(): TextKind {
  return { kind: "text" };
}

export const crdt = {
  counter,
  max,
  min,
  register,
  flag,
  set,
  map,
  text,
} as const;

/** The fields of a function's state. */
export type Shape = Readonly<Record<string, Kind<unknown, unknown, unknown>>>;
export type Live<S> = {
  readonly [K in keyof S]: S[K] extends Kind<infer L, unknown, unknown> ? L : never;
};
export type View<S> = {
  readonly [K in keyof S]: S[K] extends Kind<unknown, infer V, unknown> ? V : never;
};
export type Plain<S> = {
  readonly [K in keyof S]: S[K] extends Kind<unknown, unknown, infer P> ? P : never;
};
