/**
 * The calls of a client, from the user's promise to the answer. Where a call goes and what becomes of
 * a failed attempt is decided by `routing`; here it is done: encoded, sent, matched with its answer,
 * timed out, cancelled, sent again.
 *
 * ```
 * call ─▶ check, encode ─▶ dispatch ─▶ link (sent, or waiting for room or for its hand shake)
 *                             ▲            │ reply ─────────────────────────────▶ settled
 *                             │            ▼ failure, link lost
 *                             └──────── policy: elsewhere, agree, wait ─ settle ─▶ settled
 * ```
 */
import { decodeValue } from "../codec/value-bytes.ts";
import { checkStatelessCall } from "../definition/call-options.ts";
import type { HandleCall } from "../definition/handle.ts";
import type { Reply } from "../definition/reply.ts";
import { assert } from "../model/assert.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { DeadlineWheel } from "../platform/deadline-wheel.ts";
import type { Platform, Timer } from "../platform/platform.ts";
import { RetryBudget } from "../routing/retry-budget.ts";
import { RetryPolicy, type AttemptEnd } from "../routing/retry-policy.ts";
import type { RoutingTable } from "../routing/routing-table.ts";
import { tokenOf, type SessionMarks } from "../routing/session-marks.ts";
import { noneTried } from "../routing/target.ts";
import {
  replyFlags,
  type FailureMessage,
  type ReplyMessage,
  type SeenPartition,
} from "../wire/messages.ts";
import { cancelledError, deadlineError, failureError, linkError } from "./call-errors.ts";
import { catalogueEntry, encodeInput, isQuery } from "./call-preparation.ts";
import { CallDispatch } from "./call-dispatch.ts";
import { CallSlots, maxPendingCalls } from "./call-slots.ts";
import type { NodeLink } from "./node-link.ts";
import type { NodeLinks } from "./node-links.ts";
import { OrderedCalls } from "./ordered-calls.ts";
import { PendingCall, type CallOwner } from "./pending-call.ts";
import { Retry } from "./retry.ts";
import { UnsettledCalls } from "./unsettled-calls.ts";

/** How fine back-offs between attempts are, in milliseconds. */
const retrySlotMs = 2;
/**
 * After news of another primary, calls that still wait at the old one are sent again. Not at once: a
 * primary that hands over answers what it has first.
 */
const staleCallGraceMs = 500;

export interface CallerOptions {
  readonly platform: Platform;
  readonly table: RoutingTable;
  readonly links: NodeLinks;
  readonly protection: boolean;
  /** `undefined`: the calls are in no session. */
  readonly session: SessionMarks | undefined;
  readonly partitionOf: (functionName: string, key: string) => number;
}

export class Caller implements CallOwner {
  readonly id: string;
  readonly #platform: Platform;
  readonly #table: RoutingTable;
  readonly #links: NodeLinks;
  readonly #protection: boolean;
  readonly #session: SessionMarks | undefined;
  readonly #partitionOf: CallerOptions["partitionOf"];
  readonly #unsettled = new UnsettledCalls<PendingCall>();
  readonly #ordered = new OrderedCalls();
  readonly #slots = new CallSlots();
  readonly #deadlines: DeadlineWheel;
  readonly #retries: DeadlineWheel;
  readonly #budget = new RetryBudget();
  readonly #policy: RetryPolicy;
  readonly #dispatch: CallDispatch;
  /** What `call` was asked for, until its promise begins. */
  #request: HandleCall | undefined;
  #staleTimer: Timer | undefined;
  /** An attempt that nobody answered may still arrive somewhere, however late. */
  #hasStrays = false;
  #sequence = 0;
  #isClosed = false;

  constructor({ platform, table, links, protection, session, partitionOf }: CallerOptions) {
    this.#platform = platform;
    this.#table = table;
    this.#links = links;
    this.#protection = protection;
    this.#session = session;
    this.#partitionOf = partitionOf;
    const { clock, random } = platform;
    this.id = platform.ids.unique();
    const unsettled = this.#unsettled;
    this.#dispatch = new CallDispatch({
      clock,
      table,
      links,
      unsettled,
      caller: this.id,
      session,
      random,
    });
    this.#deadlines = new DeadlineWheel(clock, platform.timers);
    this.#retries = new DeadlineWheel(clock, platform.timers, retrySlotMs);
    this.#policy = new RetryPolicy(random, this.#budget);
  }

  /** Calls that are not settled. */
  get pendingCount(): number {
    return this.#slots.count;
  }

  /**
   * Every attempt of a call with a number was answered by a node that knew what became of it: nothing that
   * was sent can arrive any more. Once that is not so it never is again.
   */
  get isDone(): boolean {
    return !this.#hasStrays;
  }

  /** One call; resolves with its value or `Reply`, rejects with a `LatticeError`. */
  readonly call = (request: HandleCall): Promise<unknown> => {
    this.#request = request;
    return new Promise(this.#begin);
  };

  /**
   * One executor for the promises of all calls: it runs before `new Promise` returns, and a closure
   * for each would cost as much as the promise. What it throws rejects the promise.
   */
  readonly #begin = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
    const request = this.#request;
    this.#request = undefined;
    assert(request !== undefined, "a promise of a call began without its request");
    const call = this.#prepare(request, resolve, reject);
    const { signal } = request.options;
    if (signal?.aborted === true) {
      throw cancelledError(call, "its signal was aborted before it was sent", signal.reason);
    }
    if (!this.#slots.add(call)) {
      throw new LatticeError(
        "overloaded",
        `${call.entityName} ${call.operation}: this client has ${String(maxPendingCalls)} calls ` +
          `in flight; await some of them first`,
      );
    }
    this.#budget.earn();
    this.#deadlines.add(call, call.totalMs, call.startedAt);
    if (call.number > 0) this.#unsettled.begin(call);
    if (signal !== undefined) this.#listen(call, signal);
    if (call.isOrdered && !this.#ordered.queue(call)) return;
    this.#dispatch.send(call, call.startedAt);
  };

  #prepare(
    request: HandleCall,
    resolve: (value: unknown) => void,
    reject: (error: unknown) => void,
  ): PendingCall {
    if (this.#isClosed) {
      throw new LatticeError("cancelled", "this client is closed: connect a new one");
    }
    const { functionName, key, operation, options } = request;
    const entry = catalogueEntry(this.#table, functionName);
    const query = isQuery(entry, operation);
    if (entry.stateless) checkStatelessCall(functionName, options);
    const sequence = ++this.#sequence;
    const isKeyed = options.idempotencyKey !== undefined;
    const isNumbered = this.#protection && !query && !isKeyed && !entry.stateless;
    return new PendingCall({
      owner: this,
      request,
      entry,
      partition: this.#partitionOf(functionName, key),
      input: encodeInput(entry, operation, request.input),
      isQuery: query,
      number: isNumbered ? sequence : 0,
      sequence,
      startedAt: this.#platform.clock.now(),
      totalMs: totalMsOf(entry.deadlineMs, options.timeoutMs),
      resolve,
      reject,
    });
  }

  #listen(call: PendingCall, signal: AbortSignal): void {
    const abort = (): void => {
      if (call.isSent) call.link?.send({ type: "cancel", id: call.id });
      this.#noteUnanswered(call);
      this.#settle(call, false);
      call.reject(cancelledError(call, "its signal was aborted", signal.reason));
    };
    signal.addEventListener("abort", abort, { once: true });
    call.stopListening = () => {
      signal.removeEventListener("abort", abort);
    };
  }

  replied(link: NodeLink, reply: ReplyMessage): void {
    const call = this.#slots.find(reply.id);
    if (call?.link !== link || !call.isSent) return;
    this.#settle(call, true);
    if (reply.seen !== undefined) this.#session?.note(reply.seen);
    let value: unknown;
    try {
      value = reply.value.length === 0 ? undefined : decodeValue(reply.value);
    } catch (error) {
      call.reject(error);
      return;
    }
    if (!call.isFull) {
      call.resolve(value);
      return;
    }
    const degraded =
      call.attempts?.degradedAllowed === true || (reply.flags & replyFlags.degraded) !== 0;
    const { copies, node, hops } = reply;
    const full: Reply<unknown> = { value, degraded, copies, node, hops };
    call.resolve(reply.seen === undefined ? full : this.#withToken(full, reply.seen));
  }

  #withToken(full: Reply<unknown>, seen: readonly SeenPartition[]): Reply<unknown> {
    return { ...full, token: tokenOf(this.#table.partitionCount, seen) };
  }

  failed(link: NodeLink, failure: FailureMessage): void {
    const call = this.#slots.find(failure.id);
    if (call?.link !== link || !call.isSent) return;
    if (failure.primary !== "" && failure.primary !== link.node) {
      this.#table.learnPrimary(call.partition, failure.primary);
    }
    const { code, indeterminate, retryAfterMs } = failure;
    // Passed on by a node that has lost it, for instance.
    if (indeterminate) this.#noteUnanswered(call);
    if (this.#retry(call, { code, indeterminate, retryAfterMs }, true)) return;
    call.reject(failureError(call, failure));
  }

  /** What was sent may have run; what was not goes elsewhere. */
  linkEnded(link: NodeLink): void {
    this.#dispatch.forget(link);
    for (const call of this.#slots.select((candidate) => candidate.link === link)) {
      const code = call.isSent ? "link_lost" : "not_sent";
      if (this.#retry(call, { code, indeterminate: false, retryAfterMs: 0 }, false)) continue;
      call.reject(linkError(call, code, `${link.address}: ${link.problem}`));
    }
  }

  /** Takes the call off its link and does what the policy says; false when it is over. */
  #retry(
    call: PendingCall,
    end: Pick<AttemptEnd, "code" | "indeterminate" | "retryAfterMs">,
    answered: boolean,
  ): boolean {
    const now = this.#platform.clock.now();
    const link = call.link;
    this.#leave(call, answered);
    const attempts = call.attemptsSoFar();
    const slot = link === undefined ? -1 : this.#links.slotOf(link);
    if (slot >= 0) attempts.tried = [...attempts.tried, slot];
    const decision = this.#policy.decide(attempts, {
      ...end,
      othersLeft: call.isStateless
        ? this.#links.anyReady(attempts.tried) !== undefined
        : this.#links.hasOther(call.partition, attempts.tried),
      remainingMs: call.deadlineAt - now,
    });
    switch (decision.type) {
      case "settle":
        this.#settle(call, true);
        return false;
      case "agree":
        if (link?.isReady === true) this.#dispatch.sendTo(call, link, now);
        else this.#dispatch.send(call, now);
        return true;
      case "elsewhere":
        this.#dispatch.send(call, now);
        return true;
      case "wait":
        attempts.tried = noneTried;
        this.#retries.add(new Retry(this.#again, call), decision.delayMs);
        return true;
    }
  }

  readonly #again = (call: PendingCall): void => {
    if (!call.isOver) this.#dispatch.send(call, this.#platform.clock.now());
  };

  /** Called by the deadline wheel. */
  expired(call: PendingCall): void {
    const { link } = call;
    const node = call.isSent && link !== undefined ? link.node : "";
    this.#noteUnanswered(call);
    this.#settle(call, false);
    call.reject(deadlineError(call, node, link?.problem ?? this.#links.problem()));
  }

  /** Takes a call off its link. @param answered nothing more can arrive for this attempt */
  #leave(call: PendingCall, answered: boolean): void {
    const { link, isSent } = call;
    call.link = undefined;
    call.isSent = false;
    if (link === undefined || !isSent) return;
    if (!answered) {
      this.#noteStray(call);
      this.#slots.renew(call);
    }
    // A lost link has no count any more.
    if (!link.isReady) return;
    link.inFlightCount -= 1;
    this.#dispatch.drained(link);
  }

  #noteUnanswered(call: PendingCall): void {
    if (call.isSent) this.#noteStray(call);
  }

  #noteStray(call: PendingCall): void {
    if (call.number > 0) this.#hasStrays = true;
  }

  #settle(call: PendingCall, answered: boolean): void {
    call.isOver = true;
    this.#deadlines.cancel(call);
    this.#leave(call, true);
    this.#slots.remove(call, answered);
    call.stopListening?.();
    if (call.number > 0) this.#unsettled.settle(call);
    if (!call.isOrdered) return;
    const next = this.#ordered.unqueue(call);
    if (next !== undefined) this.#dispatch.send(next, this.#platform.clock.now());
  }

  /** A link has room again. */
  drained(link: NodeLink): void {
    this.#dispatch.drained(link);
  }

  /** Calls that wait for a node may find one. */
  routesChanged(): void {
    if (!this.#isClosed) this.#dispatch.routesChanged();
  }

  /** The table names other primaries: what waits at old ones is looked at after a grace time. */
  primariesChanged(): void {
    if (this.#slots.count === 0 || this.#isClosed) return;
    this.#staleTimer ??= this.#platform.timers.after(staleCallGraceMs, () => {
      this.#staleTimer = undefined;
      this.#resendStale();
    });
  }

  #resendStale(): void {
    const newestAt = this.#platform.clock.now() - staleCallGraceMs;
    const stale = this.#slots.select(
      (call) =>
        call.isSent &&
        call.toPrimary &&
        (call.isQuery || call.isProtected) &&
        call.startedAt <= newestAt &&
        call.link !== undefined &&
        !this.#links.isPrimary(call.partition, call.link),
    );
    const now = this.#platform.clock.now();
    for (const call of stale) {
      call.link?.send({ type: "cancel", id: call.id });
      if (!call.isQuery) call.attemptsSoFar().mayHaveRun = true;
      this.#leave(call, false);
      this.#dispatch.send(call, now);
    }
  }

  /** Settles everything. Later calls are refused. */
  close(): void {
    this.#isClosed = true;
    this.#staleTimer?.cancel();
    for (const call of this.#slots.select(() => true)) {
      this.#noteUnanswered(call);
      call.isOver = true;
      call.stopListening?.();
      call.reject(cancelledError(call, "the client was closed before the answer came", undefined));
      this.#slots.remove(call, false);
    }
    this.#deadlines.clear();
    this.#retries.clear();
    this.#dispatch.close();
  }
}

/** A caller may ask for less time than the function allows, never for more. */
function totalMsOf(deadlineMs: number, timeoutMs: number | undefined): number {
  return Math.min(timeoutMs ?? deadlineMs, deadlineMs, limits.deadlineMsMax);
}
