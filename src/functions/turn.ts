/**
 * One call on this node, from its arrival to its answer.
 *
 *     waiting ─▶ running ─▶ confirming ─▶ settled
 *        └──────────┴─── cut off ───────────▲
 *
 * It waits for its entity, runs its operation, and is confirmed once enough copies hold what it did
 * or saw. A turn that is cut off is settled at once; its context is revoked, so that the handler,
 * which nobody can stop, can do no more harm.
 */
import type { Acks } from "../model/acks.ts";
import type { Trace } from "../definition/contexts.ts";
import { callId, type EntityName } from "../model/ids.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { traceIdOf } from "../model/traceparent.ts";
import { notInWheel } from "../platform/deadline-wheel.ts";
import type { WheelEntry } from "../platform/deadline-wheel.ts";
import type { TraceIds } from "../platform/platform.ts";
import type { Draft } from "../state/draft.ts";
import type { Age } from "./age.ts";
import { isHeld } from "./call-chain.ts";
import type { Confirmed, CopyStanding, Release, SeenMark } from "./ports.ts";
import type { RegisteredOperation } from "./registry.ts";
import type { SubmittedTurn, TurnRequest } from "./turn-request.ts";
import { spanBelow } from "./turn-span.ts";

export type TurnPhase = "waiting" | "running" | "confirming" | "settled";

/** What a turn has come to, while copies of it are waited for. */
export interface ConfirmingAnswer {
  /** The encoded result; of no use beside an error. */
  readonly value: Uint8Array;
  readonly error: LatticeError | undefined;
  /** It was found in the dedupe table. */
  readonly fromDedupe: boolean;
  /** Something was appended for it, which may stay even if that is never confirmed. */
  readonly hasCommit: boolean;
}

/** What a turn tells those that run it. */
export interface TurnWatcher {
  /** Copies hold what it waits for, or that will not be known. */
  released(turn: Turn, release: Release): void;
  cancelled(turn: Turn): void;
  expired(turn: Turn): void;
  /** It asks another entity, and has not been asking before. */
  beganAsking(turn: Turn): void;
  /** Makes the ids of spans. */
  readonly traceIds: TraceIds;
}

export class Turn implements SubmittedTurn, WheelEntry, Age, Confirmed {
  readonly request: TurnRequest;
  readonly operation: RegisteredOperation;
  readonly deadlineAt: number;
  readonly #watcher: TurnWatcher;
  phase: TurnPhase = "waiting";
  /** It stands in the queue of its entity. */
  isQueued = false;
  ageTime: number;
  ageId: string;
  /** Copies to wait for. */
  readonly acks: Acks;
  draft: Draft | undefined = undefined;
  /** What it will answer once that is confirmed. */
  answer: ConfirmingAnswer | undefined = undefined;
  /** User code has begun to run: from here on its answers depend on what it saw. */
  hasRun = false;
  /** Owners that hold the copy which it only reads; 0 for a turn on the state that is led here. */
  heldBy = 0;
  /** Of a query whose answer is compared with others': on what it began to run. */
  standing: CopyStanding | undefined = undefined;
  /** It has the processor, and is charged for that when it ends or waits. */
  isTimed = false;
  /** Whose reign it runs in. */
  reign: object | undefined = undefined;
  /** The run is over: the context refuses everything. */
  #isRevoked = false;
  #extras: TurnExtras | undefined = undefined;

  wheelTick: number = notInWheel;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;

  constructor(
    request: TurnRequest,
    operation: RegisteredOperation,
    terms: { readonly deadlineAt: number; readonly acks: Acks },
    watcher: TurnWatcher,
  ) {
    this.request = request;
    this.operation = operation;
    this.deadlineAt = terms.deadlineAt;
    this.acks = terms.acks;
    this.#watcher = watcher;
    this.ageTime = request.ageTime;
    this.ageId = request.ageId;
  }

  get name(): EntityName {
    return this.request.address.name;
  }

  /** Called by another turn that holds an entity and waits for it. */
  get isNested(): boolean {
    const { chain } = this.request;
    return chain.length > 0 && chain.some(isHeld);
  }

  /** Runs at once wherever it is, and nothing is kept of it. */
  get isStateless(): boolean {
    return this.operation.function.isStateless && !this.operation.isInternal;
  }

  get isAsking(): boolean {
    return this.#extras !== undefined && this.#extras.askCount > 0;
  }

  /** No caller's, but the system's or a timer's: nobody could agree to degraded service for it. */
  get isOwn(): boolean {
    return this.operation.isInternal || this.request.timer !== undefined;
  }

  /** Must not take effect twice. */
  get isProtected(): boolean {
    return this.request.caller !== "" && !this.operation.isQuery && !this.isStateless;
  }

  get signal(): AbortSignal {
    const extras = this.#open();
    extras.abort ??= new AbortController();
    return extras.abort.signal;
  }

  /** Its own span, below its caller's. Made when something asks for it: most turns never have one. */
  get trace(): Trace {
    const extras = this.#open();
    extras.trace ??= spanBelow(this.request.trace, this.#watcher.traceIds);
    return extras.trace;
  }

  /** "" where the caller gave none, and nothing has asked for one. */
  get traceIdIfAny(): string {
    const made = this.#extras?.trace;
    if (made !== undefined) return made.traceId;
    return this.request.trace === "" ? "" : traceIdOf(this.request.trace);
  }

  /** Names the call in log lines and errors; one that nothing protects has the name of its span. */
  get callId(): string {
    const { caller, number } = this.request;
    return caller === "" ? this.trace.spanId : callId(caller, number);
  }

  get hasAfterCommit(): boolean {
    return this.#extras?.afterCommit !== undefined;
  }

  get afterCommit(): readonly (() => void | Promise<void>)[] {
    return this.#extras?.afterCommit ?? nothingToRun;
  }

  /** Called by the store. */
  released(release: Release): void {
    this.#watcher.released(this, release);
  }

  cancel(): void {
    if (this.phase !== "settled") this.#watcher.cancelled(this);
  }

  expire(): void {
    if (this.phase !== "settled") this.#watcher.expired(this);
  }

  /** @throws LatticeError `cancelled` once the run is over. */
  checkActive(): void {
    if (!this.#isRevoked) return;
    const { functionName, key } = this.request.address;
    const why = this.#extras?.endedBecause?.message ?? "its run is over";
    throw new LatticeError(
      "cancelled",
      `${this.label}: this context can no longer be used: ${why}`,
      { function: functionName, key },
    );
  }

  /** Ends the use of the context. `reason`: it was cut off; absent: the run is over. */
  revoke(reason?: LatticeError): void {
    if (this.#isRevoked) return;
    this.#isRevoked = true;
    this.draft?.revoke();
    if (reason !== undefined) this.#open().endedBecause = reason;
    if (this.#extras !== undefined) this.#tell(this.#extras, reason);
  }

  /** Tells whoever waits in the handler that its run is over. */
  #tell(extras: TurnExtras, reason: LatticeError | undefined): void {
    if (reason !== undefined) extras.abort?.abort(reason);
    if (extras.onRevoke === undefined) return;
    const listeners = extras.onRevoke;
    extras.onRevoke = undefined;
    const ended = reason ?? new LatticeError("cancelled", `${this.label}: its run is over`);
    for (const listener of listeners) listener(ended);
  }

  /** Calls `listener` when the context is revoked; returns how to take that back. */
  onRevoke(listener: (reason: LatticeError) => void): () => void {
    const extras = this.#open();
    extras.onRevoke ??= new Set();
    extras.onRevoke.add(listener);
    return () => extras.onRevoke?.delete(listener);
  }

  /** Runs after the commit. @throws LatticeError `overloaded` beyond 256. */
  addAfterCommit(run: () => void | Promise<void>): void {
    const extras = this.#open();
    extras.afterCommit ??= [];
    if (extras.afterCommit.length >= afterCommitMax) {
      throw new LatticeError(
        "overloaded",
        `${this.label}: at most ${String(afterCommitMax)} calls of ctx.afterCommit in one run`,
      );
    }
    extras.afterCommit.push(run);
  }

  /** What the calls that it asked for were shown. */
  get seenByAsks(): readonly SeenMark[] {
    return this.#extras?.seen ?? nothingSeen;
  }

  noteSeen(seen: readonly SeenMark[]): void {
    if (seen.length === 0) return;
    const extras = this.#open();
    extras.seen = [...(extras.seen ?? nothingSeen), ...seen].slice(0, limits.seenMarksMax - 3);
  }

  /** Numbers the asks of one run from 1: a retried run numbers them alike. */
  nextAskNumber(): number {
    const extras = this.#open();
    extras.askNumber += 1;
    return extras.askNumber;
  }

  beginAsk(): void {
    const extras = this.#open();
    extras.askCount += 1;
    if (extras.askCount === 1 && this.phase === "running") this.#watcher.beganAsking(this);
  }

  endAsk(): void {
    this.#open().askCount -= 1;
  }

  /** Notes what `ctx.fail` is about to throw: only then may its code reach the caller. */
  refuse(refusal: LatticeError): LatticeError {
    this.#open().refusal = refusal;
    return refusal;
  }

  /** Notes an error that the system threw into the handler, and that may reach the caller as it is. */
  passOn(error: unknown): void {
    if (!(error instanceof LatticeError) || !(error.retryable || error.indeterminate)) return;
    this.letPass(error);
  }

  /** Notes that an error of ours may reach the caller as it is, whatever its code. */
  letPass(error: unknown): unknown {
    if (!(error instanceof LatticeError)) return error;
    const extras = this.#open();
    extras.passable ??= new Set();
    extras.passable.add(error);
    return error;
  }

  isRefusal(error: unknown): error is LatticeError {
    return error !== undefined && error === this.#extras?.refusal;
  }

  isPassable(error: unknown): error is LatticeError {
    return this.#extras?.passable?.has(error) === true;
  }

  #open(): TurnExtras {
    this.#extras ??= new TurnExtras();
    return this.#extras;
  }

  /** As messages name it: `cart/alice add`. */
  get label(): string {
    return `${this.name} ${this.request.operation}`;
  }
}

/** What few turns have: every field of a turn is cleared, kept and collected with every call. */
class TurnExtras {
  /** Asks without an answer so far. */
  askCount = 0;
  askNumber = 0;
  /** What `ctx.fail` threw. */
  refusal: LatticeError | undefined = undefined;
  /** What asks and sends threw into the handler. */
  passable: Set<unknown> | undefined = undefined;
  abort: AbortController | undefined = undefined;
  onRevoke: Set<(reason: LatticeError) => void> | undefined = undefined;
  afterCommit: (() => void | Promise<void>)[] | undefined = undefined;
  endedBecause: LatticeError | undefined = undefined;
  seen: readonly SeenMark[] | undefined = undefined;
  trace: Trace | undefined = undefined;
}

const nothingToRun: readonly (() => void)[] = [];
const nothingSeen: readonly SeenMark[] = [];
/** Calls of `ctx.afterCommit` in one run. */
export const afterCommitMax = 256;
