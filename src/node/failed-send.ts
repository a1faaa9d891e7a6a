/**
 * A finally refused call as an operator sees it; plain data. It is part of the public types, so it names
 * nothing of what a node is made of.
 */
import type { ErrorCode } from "../model/error.ts";
import type { Value } from "../model/value.ts";

/** A call that was sent with `ctx.send` and refused for good. */
export interface FailedSend {
  /** Who sent it: `function/key`. */
  readonly sender: string;
  /** Names it among those of its sender; opaque. */
  readonly id: string;
  /** Where it was to go: `function/key`. */
  readonly target: string;
  readonly operation: string;
  readonly input: Value | undefined;
  /** Why it was refused. */
  readonly code: ErrorCode;
  readonly message: string;
  /** When that was recorded, in milliseconds since the epoch by the cluster's clock. */
  readonly at: number;
}

/** Which failed sends are listed. */
export interface FailedSendFilter {
  /** Of senders of this function. */
  readonly function?: string;
  /** Of senders with this key. */
  readonly key?: string;
  /** At most so many. @default 1,000 */
  readonly limit?: number;
}
