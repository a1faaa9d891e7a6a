/**
 * One call from its start to its answer. The same object is the message that is encoded, the
 * progress that the retry policy reads and the entry in the deadline wheel: a call costs one object
 * and the user's promise.
 */
import type { WhenSplit } from "../model/acks.ts";
import type { EntityName } from "../model/ids.ts";
import { notInWheel, type WheelEntry } from "../platform/deadline-wheel.ts";
import type { CallProgress } from "../routing/retry-policy.ts";
import { noneTried } from "../routing/target.ts";
import type { CallMessage } from "../wire/messages.ts";
import type { CallableEntity, EntityCall } from "./callable-entity.ts";
import type { NodeLink } from "./node-link.ts";

/** Who is told when the deadline of a call has passed. */
export interface CallOwner {
  expired(call: PendingCall): void;
}

/** What is known of a call before it is sent. */
export interface CallStart {
  readonly owner: CallOwner;
  readonly entity: CallableEntity<PendingCall>;
  readonly operation: string;
  readonly input: Uint8Array;
  readonly isQuery: boolean;
  readonly isProtected: boolean;
  readonly whenSplit: WhenSplit;
  readonly acks: number;
  readonly flags: number;
  readonly caller: string;
  /** 0 when it is not protected, or by an idempotency key: a number would tie it to this client's life. */
  readonly number: number;
  /** Rises with every call of the client. */
  readonly sequence: number;
  readonly startedAt: number;
  readonly totalMs: number;
  readonly isFull: boolean;
  readonly isOrdered: boolean;
}

const noChain: readonly EntityName[] = Object.freeze([]);

export class PendingCall implements CallMessage, CallProgress, WheelEntry, EntityCall<PendingCall> {
  readonly type = "call";
  readonly partition: number;
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  readonly caller: string;
  readonly number: number;
  readonly acks: number;
  readonly input: Uint8Array;
  readonly chain = noChain;
  readonly hop = 1;
  /** As the user's options say; `flags` adds what the attempts so far have added. */
  readonly baseFlags: number;
  id = 0;
  tableId = 0;
  received = 0;
  timeoutMs = 0;
  flags = 0;
  ageTime = 0;
  ageId = "";

  readonly isQuery: boolean;
  readonly isProtected: boolean;
  readonly whenSplit: WhenSplit;
  mayHaveRun = false;
  degradedAllowed = false;
  wasOffered = false;
  keepsAge = false;
  attemptsAtOnce = 0;
  backOffs = 0;

  wheelTick = notInWheel;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  readonly entity: CallableEntity<PendingCall>;
  readonly sequence: number;
  readonly startedAt: number;
  readonly totalMs: number;
  readonly isFull: boolean;
  readonly isOrdered: boolean;
  readonly #owner: CallOwner;
  resolve: (value: unknown) => void = unset;
  reject: (error: unknown) => void = unset;

  older: PendingCall | undefined = undefined;
  newer: PendingCall | undefined = undefined;

  /** Where it is, or waits to be sent. `undefined` while it waits for a node, or after its end. */
  link: NodeLink | undefined = undefined;
  isSent = false;
  isOver = false;
  /** It went to the first owner of the table, not to a node that would forward it. */
  toPrimary = false;
  /** Some attempt was sent, so that cancelling it tells nothing of its effect. */
  wasSent = false;
  tried: readonly number[] = noneTried;
  /** Stops listening to the user's signal. */
  stopListening: (() => void) | undefined = undefined;

  constructor(start: CallStart) {
    this.#owner = start.owner;
    this.entity = start.entity;
    this.partition = start.entity.partition;
    this.functionName = start.entity.functionName;
    this.key = start.entity.key;
    this.operation = start.operation;
    this.input = start.input;
    this.isQuery = start.isQuery;
    this.isProtected = start.isProtected;
    this.whenSplit = start.whenSplit;
    this.acks = start.acks;
    this.baseFlags = start.flags;
    this.caller = start.caller;
    this.sequence = start.sequence;
    this.number = start.number;
    this.startedAt = start.startedAt;
    this.totalMs = start.totalMs;
    this.isFull = start.isFull;
    this.isOrdered = start.isOrdered;
  }

  get deadlineAt(): number {
    return this.startedAt + this.totalMs;
  }

  /** Called by the deadline wheel. */
  expire(): void {
    this.#owner.expired(this);
  }
}

function unset(): void {
  // Replaced as soon as the promise of the call exists.
}
