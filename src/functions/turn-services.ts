/** What turns are built on; the node gives it. */
import type { Acks } from "../model/acks.ts";
import type { Value } from "../model/value.ts";
import type { NodePlatform } from "../platform/platform.ts";
import { retireAtDefault } from "../state/retirement.ts";
import type { Calls, Compute, Store } from "./ports.ts";
import type { Registry } from "./registry.ts";

export interface TurnServices {
  readonly registry: Registry;
  readonly store: Store;
  readonly calls: Calls;
  readonly compute: Compute;
  readonly values: ValueCodec;
  readonly platform: Omit<NodePlatform, "loopDelay">;
  readonly settings: TurnSettings;
}

/** How values become bytes and back. */
export interface ValueCodec {
  /** `value` has been checked. */
  encode(value: Value): Uint8Array;
  /** @throws LatticeError `invalid_argument` for bytes that are no value. */
  decode(bytes: Uint8Array): Value;
}

export interface TurnSettings {
  /** Copies that must hold a change where neither call nor function says how many. */
  readonly acksDefault: Acks;
  /** Owners that a partition has when the cluster is large enough: what `acks: "all"` promises. */
  readonly replicas: number;
  /** Send the message of what a handler threw to its caller. */
  readonly exposeErrors: boolean;
  /** Longest wait for copies in milliseconds; then the call ends `indeterminate`. */
  readonly ackTimeoutMs: number;
  /** So many ended terms that an entity names are retired with the next change of it. */
  readonly retireAt: number;
}

export const turnSettingsDefault: TurnSettings = {
  acksDefault: 2,
  replicas: 3,
  exposeErrors: true,
  ackTimeoutMs: 2_000,
  retireAt: retireAtDefault,
};
