/**
 * One call from its start to its answer, which is also its entry in the deadline wheel: a call costs
 * this object and the user's promise. It is kept small, because what every call allocates decides
 * how often garbage is collected and what else the processor's caches have room for: what can be
 * told from the user's request is asked of it, and what only a failed attempt needs is in
 * `CallAttempts`.
 */
import type { HandleCall } from "../definition/handle.ts";
import type { WhenSplit } from "../model/acks.ts";
import { callId, entityName } from "../model/ids.ts";
import { notInWheel, type WheelEntry } from "../platform/deadline-wheel.ts";
import { noneTried } from "../routing/target.ts";
import { callFlags, readFlags, type CatalogueEntry } from "../wire/messages.ts";
import { CallAttempts } from "./call-attempts.ts";
import type { NodeLink } from "./node-link.ts";
import type { UnsettledCall } from "./unsettled-calls.ts";

/** Who is told when the deadline of a call has passed. */
export interface CallOwner {
  /** The caller id of the client. */
  readonly id: string;
  expired(call: PendingCall): void;
}

/** What is known of a call before it is sent. */
export interface CallStart {
  readonly owner: CallOwner;
  readonly request: HandleCall;
  /** The function that it calls. */
  readonly entry: CatalogueEntry;
  readonly partition: number;
  readonly input: Uint8Array;
  readonly isQuery: boolean;
  /** 0 when it is not protected, or by an idempotency key: a number would tie it to this client's life. */
  readonly number: number;
  /** Rises with every call of the client. */
  readonly sequence: number;
  readonly startedAt: number;
  readonly totalMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class PendingCall implements WheelEntry, UnsettledCall<PendingCall> {
  readonly #owner: CallOwner;
  readonly request: HandleCall;
  readonly #entry: CatalogueEntry;
  readonly partition: number;
  readonly input: Uint8Array;
  readonly isQuery: boolean;
  readonly number: number;
  readonly sequence: number;
  readonly startedAt: number;
  readonly totalMs: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;

  /** On the wire; given by `CallSlots`. */
  id = 0;
  /** Where it is, or waits to be sent. `undefined` while it waits for a node, or after its end. */
  link: NodeLink | undefined = undefined;
  isSent = false;
  isOver = false;
  /** It went to the first owner of the table, not to a node that would forward it. */
  toPrimary = false;
  /** Some attempt was sent, so that cancelling it tells nothing of its effect. */
  wasSent = false;
  /** Of attempts that failed; see `attemptsSoFar`. */
  attempts: CallAttempts | undefined = undefined;
  /** Stops listening to the user's signal. */
  stopListening: (() => void) | undefined = undefined;

  wheelTick = notInWheel;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  older: PendingCall | undefined = undefined;
  newer: PendingCall | undefined = undefined;
  newest: PendingCall | undefined = undefined;
  neighbour: PendingCall | undefined = undefined;
  keyHash = 0;

  constructor(start: CallStart) {
    this.#owner = start.owner;
    this.request = start.request;
    this.#entry = start.entry;
    this.partition = start.partition;
    this.input = start.input;
    this.isQuery = start.isQuery;
    this.number = start.number;
    this.sequence = start.sequence;
    this.startedAt = start.startedAt;
    this.totalMs = start.totalMs;
    this.resolve = start.resolve;
    this.reject = start.reject;
  }

  /** Any node runs it. */
  get isStateless(): boolean {
    return this.#entry.stateless;
  }

  get functionName(): string {
    return this.request.functionName;
  }

  get key(): string {
    return this.request.key;
  }

  get operation(): string {
    return this.request.operation;
  }

  /** `function/key`, for messages. */
  get entityName(): string {
    return entityName(this.functionName, this.key);
  }

  /** Under which name log lines of nodes have it; `undefined`: a node makes one up. */
  get callId(): string | undefined {
    if (!this.isProtected) return undefined;
    return this.number > 0
      ? callId(this.#owner.id, this.number)
      : callId(this.idempotencyKey, this.number);
  }

  get whenSplit(): WhenSplit {
    return this.request.options.whenSplit ?? this.#entry.whenSplit;
  }

  /** Flags that say where it may run, and what is to run then. */
  get readFlags(): number {
    if (this.request.isPiped === true) return callFlags.piped;
    return this.isQuery ? readFlags(this.request.options.readFrom) : 0;
  }

  get readsAny(): boolean {
    const { readFrom } = this.request.options;
    return this.isQuery && (readFrom === "any" || typeof readFrom === "number");
  }

  /** By number or by idempotency key. Meaningless for queries. */
  get isProtected(): boolean {
    return this.number > 0 || this.idempotencyKey !== "";
  }

  /** "" for queries, which need none. */
  get idempotencyKey(): string {
    return this.isQuery ? "" : (this.request.options.idempotencyKey ?? "");
  }

  /** Resolves with a `Reply`. */
  get isFull(): boolean {
    return this.request.options.reply === "full";
  }

  get isOrdered(): boolean {
    return this.request.options.ordered === true;
  }

  get deadlineAt(): number {
    return this.startedAt + this.totalMs;
  }

  /** Slots asked since the last back-off. */
  get tried(): readonly number[] {
    return this.attempts === undefined ? noneTried : this.attempts.tried;
  }

  /** What is remembered of the attempts so far, to be added to. */
  attemptsSoFar(): CallAttempts {
    this.attempts ??= new CallAttempts(this);
    return this.attempts;
  }

  /** Called by the deadline wheel. */
  expire(): void {
    this.#owner.expired(this);
  }
}
