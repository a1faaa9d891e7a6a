/**
 * Timers: handlers that an entity will run later. They are ordinary state in a field that no user can
 * name, a map of values by timer id; so replication, merging, deletes and images need nothing for them.
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { Value } from "../model/value.ts";
import { winner } from "./cell-entry.ts";
import { asCell, asDict } from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";

export const timersMax = 256;
/** Of the inputs of all timers together. */
export const timerInputBytesMax = 64 * 1024;

/** What is known of a timer by whoever sets it. */
export interface TimerSetting {
  readonly id: string;
  /** The handler that it runs. */
  readonly operation: string;
  /** When it is due, in milliseconds since the epoch. */
  readonly at: number;
  /** Its period in milliseconds; `undefined`: it is due once. */
  readonly every: number | undefined;
  /** Encoded; empty for none. */
  readonly input: Uint8Array;
}

/** A timer that was set. The commit that set it tells it from others of its id. */
export interface EntityTimer extends TimerSetting {
  readonly writer: WriterId;
  readonly sequence: number;
}

export const noTimers: readonly EntityTimer[] = Object.freeze([]);

/** All timers in the field of timers, the next one first. */
export function timersIn(field: StateNode | undefined): readonly EntityTimer[] {
  const children = asDict(field)?.children;
  if (children === undefined) return noTimers;
  const timers: EntityTimer[] = [];
  for (const [id, node] of children) {
    const timer = timerOf(id, node);
    if (timer !== undefined) timers.push(timer);
  }
  return timers.sort(compareTimers);
}

/** One timer in the field of timers. */
export function timerIn(field: StateNode | undefined, id: string): EntityTimer | undefined {
  return timerOf(id, asDict(field)?.children.get(id));
}

/** The order in which they are due; those of one moment by their ids. */
export function compareTimers(a: TimerSetting, b: TimerSetting): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1);
}

/** Whether both were set by the same commit. */
export function isSameTimer(a: EntityTimer, b: EntityTimer): boolean {
  return a.id === b.id && a.writer === b.writer && a.sequence === b.sequence;
}

/** When it is due after `now`: periods that have passed without it are not made up for. */
export function nextDueAt(at: number, every: number, now: number): number {
  return at + every * (Math.max(0, Math.floor((now - at) / every)) + 1);
}

/** As it is kept. */
export function timerValue({ operation, at, every, input }: TimerSetting): Value {
  const once = { operation, at, input };
  return every === undefined ? once : { ...once, every };
}

/** @returns `undefined` for what this version does not take for a timer */
export function readTimer(id: string, value: Value): TimerSetting | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { operation, at, every, input } = value as Readonly<Record<string, Value | undefined>>;
  const isTimer =
    typeof operation === "string" &&
    typeof at === "number" &&
    (every === undefined || (typeof every === "number" && every > 0)) &&
    input instanceof Uint8Array;
  return isTimer ? { id, operation, at, every, input } : undefined;
}

/** @throws LatticeError `overloaded` when so many timers, with inputs of so many bytes, would wait. */
export function checkTimerRoom(count: number, inputBytes: number): void {
  if (count <= timersMax && inputBytes <= timerInputBytesMax) return;
  const full =
    count > timersMax
      ? `${String(timersMax)} timers`
      : `timers with ${String(timerInputBytesMax)} bytes of inputs`;
  throw new LatticeError(
    "overloaded",
    `${full} wait on this entity already: cancel some, or spread them over more keys`,
  );
}

function timerOf(id: string, node: StateNode | undefined): EntityTimer | undefined {
  const cell = asCell(node);
  if (cell === undefined) return undefined;
  const { value, writer, sequence } = winner(cell);
  const setting = readTimer(id, value);
  return setting === undefined ? undefined : { ...setting, writer, sequence };
}
