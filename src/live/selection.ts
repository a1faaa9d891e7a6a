/**
 * One thing that is watched of one entity: its whole state, one field, or the result of one query.
 * All its watchers share the value, its encoded snapshot and every difference: computed once.
 */
import type { EntityName } from "../model/ids.ts";
import type { Value } from "../model/value.ts";
import type { ChangeMessage, SnapshotMessage } from "../wire/messages.ts";
import { applyDifference, differenceOf } from "../wire/difference.ts";
import { historyLengthMax } from "./limits.ts";
import type { Watcher } from "./watcher.ts";

/** What is watched. */
export interface SelectionTarget {
  readonly entity: EntityName;
  /** "" for the whole state, else a field; with `query` the name of a query. */
  readonly field: string;
  readonly query: boolean;
  /** Encoded input of the query; empty when there is none. */
  readonly input: Uint8Array;
  /** Least time between two updates; 0 for none. */
  readonly minIntervalMs: number;
}

export interface Reading {
  readonly value: Value | undefined;
  /** Served without a majority: watchers are told. */
  readonly degraded: boolean;
}

interface PastVersion {
  readonly version: string;
  readonly value: Value | undefined;
}

export class Selection {
  readonly target: SelectionTarget;
  readonly watchers = new Set<Watcher>();
  /** Watchers that lack the current version, or will when it is computed. */
  readonly behind = new Set<Watcher>();
  /** The entity changed since `value` was computed. */
  isStale = true;
  /** The query is being run by the node. */
  isRunning = false;
  /** The next update is not sent before; milliseconds of the injected clock. */
  notBeforeAt = 0;
  /** Kept without watchers until then; 0 while it has some. */
  lingersUntil = 0;
  #version = "";
  #value: Value | undefined;
  #degraded = false;
  #history: PastVersion[] = [];
  #snapshot: Uint8Array | undefined;
  readonly #differences = new Map<string, Uint8Array>();
  readonly #encode: (value: Value) => Uint8Array;

  constructor(target: SelectionTarget, encode: (value: Value) => Uint8Array) {
    this.target = target;
    this.#encode = encode;
  }

  /** "" until the value was computed for the first time. */
  get version(): string {
    return this.#version;
  }

  /** Takes the newly computed value; `newVersion` is called only if it differs from the last one. */
  update({ value, degraded }: Reading, newVersion: () => string): void {
    this.isStale = false;
    if (this.#version === "") {
      this.#become(value, degraded, newVersion());
      return;
    }
    const change = changeBetween(this.#value, value);
    if (change === "none" && degraded === this.#degraded) return;
    if (change === "none" || change === "whole") {
      // Nothing to tell a difference by: everybody gets a snapshot.
      this.#history = [];
      this.#become(value, degraded, newVersion());
    } else {
      this.#history.push({ version: this.#version, value: this.#value });
      if (this.#history.length > historyLengthMax) this.#history.shift();
      // Applied, not taken over: what did not change is then held once for all past versions.
      this.#become(applyDifference(this.#value, change.difference), degraded, newVersion());
    }
    for (const watcher of this.watchers) this.behind.add(watcher);
  }

  /** The message that brings a watcher from what it has to the current version. */
  messageFor(watcher: Watcher): SnapshotMessage | ChangeMessage {
    const { id, version: base } = watcher;
    const difference = this.#differenceFrom(base);
    const version = this.#version;
    const degraded = this.#degraded;
    return difference === undefined
      ? { type: "snapshot", id, version, degraded, value: this.#encodedValue() }
      : { type: "change", id, base, version, degraded, difference };
  }

  #become(value: Value | undefined, degraded: boolean, version: string): void {
    this.#value = value;
    this.#degraded = degraded;
    this.#version = version;
    this.#snapshot = undefined;
    this.#differences.clear();
  }

  #encodedValue(): Uint8Array {
    this.#snapshot ??= this.#value === undefined ? new Uint8Array(0) : this.#encode(this.#value);
    return this.#snapshot;
  }

  /** `undefined` when the watcher's version is not remembered, or a snapshot says it better. */
  #differenceFrom(base: string): Uint8Array | undefined {
    const known = this.#differences.get(base);
    if (known !== undefined) return known;
    const past = this.#history.find((entry) => entry.version === base);
    if (past === undefined) return undefined;
    const change = changeBetween(past.value, this.#value);
    if (change === "whole") return undefined;
    // Changed there and back: an empty splice of nothing tells the new version.
    const difference = change === "none" ? noChangeOf(this.#value) : change.difference;
    if (difference === undefined) return undefined;
    const bytes = this.#encode(difference);
    this.#differences.set(base, bytes);
    return bytes;
  }
}

function changeBetween(
  before: Value | undefined,
  after: Value | undefined,
): "none" | "whole" | { readonly difference: Value } {
  if (before === undefined || after === undefined) return before === after ? "none" : "whole";
  const difference = differenceOf(before, after);
  return difference === undefined ? "none" : { difference };
}

function noChangeOf(value: Value | undefined): Value | undefined {
  return value === undefined ? undefined : [0, value];
}
