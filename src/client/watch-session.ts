/**
 * One `watch()` that somebody iterates: what is watched, where, and the value as it is known here.
 * Differences are applied to it, so that what is yielded shares unchanged parts with the value before.
 */
import { decodeValue } from "../codec/value-bytes.ts";
import { LatticeError } from "../model/error.ts";
import type { Value } from "../model/value.ts";
import type { Timer } from "../platform/platform.ts";
import { applyDifference } from "../wire/difference.ts";
import type { ChangeMessage, SnapshotMessage, WatchMessage } from "../wire/messages.ts";
import type { LatestValue } from "./latest-value.ts";
import type { NodeLink } from "./node-link.ts";

/** What is watched. */
export interface WatchTarget {
  readonly functionName: string;
  readonly key: string;
  readonly partition: number;
  /** "" for the whole state, else a field; with `query` the name of a query. */
  readonly field: string;
  readonly query: boolean;
  readonly input: Uint8Array;
}

export class WatchSession {
  readonly id: number;
  readonly target: WatchTarget;
  readonly values: LatestValue<unknown>;
  /** Where it is subscribed; `undefined` while it looks for a node. */
  link: NodeLink | undefined = undefined;
  /** Slots asked since the last back-off. */
  tried: readonly number[] = [];
  failures = 0;
  retryTimer: Timer | undefined = undefined;
  #version = "";
  #value: Value | undefined;

  constructor(id: number, target: WatchTarget, values: LatestValue<unknown>) {
    this.id = id;
    this.target = target;
    this.values = values;
  }

  /** Says which version is known, so that only the difference need be sent. */
  request(): WatchMessage {
    return { type: "watch", id: this.id, ...this.target, resume: this.#version };
  }

  /** Takes a message; false when it does not fit, and a new snapshot must be asked for. */
  take(message: SnapshotMessage | ChangeMessage): boolean {
    try {
      if (message.type === "snapshot") {
        this.#value = message.value.length === 0 ? undefined : decodeValue(message.value);
      } else {
        if (message.base !== this.#version) throw new LatticeError("internal", "another base");
        this.#value = applyDifference(this.#value, decodeValue(message.difference));
      }
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      this.#version = "";
      return false;
    }
    this.#version = message.version;
    this.failures = 0;
    this.tried = [];
    this.values.push(this.#value);
    return true;
  }
}
