/**
 * Runs one turn whose time has come: decides whether it may run here at all, answers retries from
 * the dedupe table, runs the operation on a draft, commits, and waits for the copies.
 *
 * A synchronous operation over a store that answers at once is over when `begin` returns: no
 * promise, no timer. That path carries almost every call.
 */
import { applySchema } from "../definition/handler.ts";
import type { Acks } from "../model/acks.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { HybridTime } from "../model/time.ts";
import { checkOptionalValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";
import type { Logger } from "../platform/platform.ts";
import type { StateCommit } from "../state/commit.ts";
import type { Draft } from "../state/draft.ts";
import { callDigest } from "../state/outcome.ts";
import type { Outcome } from "../state/outcome.ts";
import type { OpenEntity } from "./entity-address.ts";
import { openFor, refusalTo } from "./opening.ts";
import type { Release, TurnOutcome } from "./ports.ts";
import { mustBeFresh, noteStanding, seenBy } from "./session-turn.ts";
import { isThenable } from "./thenable.ts";
import type { Turn, TurnPhase } from "./turn.ts";
import { TurnContext } from "./turn-context.ts";
import { draftOf } from "./turn-draft.ts";
import * as failures from "./turn-failures.ts";
import { failed } from "./turn-failures.ts";
import { turnLogger } from "./turn-log.ts";
import type { TurnMeter } from "./turn-meter.ts";
import type { TurnServices } from "./turn-services.ts";

/** What the runner tells of its turns. */
export interface TurnEnds {
  /** The turn is over; told once. */
  settle(turn: Turn, outcome: TurnOutcome): void;
  /** It has run, and waits for copies. */
  isConfirming(turn: Turn): void;
  /** For what of a turn runs outside `begin`, `complete` and `fail`. */
  readonly meter: Pick<TurnMeter, "run">;
}

export class TurnRunner {
  readonly #services: TurnServices;
  readonly #ends: TurnEnds;

  constructor(services: TurnServices, ends: TurnEnds) {
    this.#services = services;
    this.#ends = ends;
  }

  /**
   * Begins a turn. Returns a promise if the operation goes on: its end belongs to `complete` or
   * `fail`. Otherwise the entity is free again. @param now of the monotonic clock
   */
  begin(turn: Turn, now: number): Promise<unknown> | undefined {
    turn.phase = "running";
    try {
      const { store } = this.#services;
      const open = openFor(turn, this.#services);
      if (open === undefined) {
        this.#ends.settle(turn, failed(failures.notServed(turn)));
        return undefined;
      }
      const refusal = refusalTo(turn, open, this.#services);
      if (refusal !== undefined) {
        this.#ends.settle(turn, refusal);
        return undefined;
      }
      // A query makes no stamp: a node answers some before it knows the time of its cluster.
      const { isQuery } = turn.operation;
      const hybridTime = isQuery ? store.timeAt(now) : store.hybridTime(now);
      if (turn.isProtected && this.#hasAnswer(turn, open, hybridTime)) return undefined;
      turn.reign = open.reign;
      turn.heldBy = open.heldBy ?? 0;
      noteStanding(turn, this.#services);
      turn.draft = draftOf(turn, open, hybridTime);
      const result = this.#run(turn);
      // It may have had itself cancelled.
      if (!isInPhase(turn, "running")) return undefined;
      if (isThenable(result)) return Promise.resolve(result);
      this.#finish(turn, result);
    } catch (error) {
      this.fail(turn, error);
    }
    return undefined;
  }

  /** The promise of an operation was kept. */
  complete(turn: Turn, result: unknown): void {
    if (turn.phase !== "running") return;
    try {
      const { store } = this.#services;
      if (turn.heldBy === 0 && store.open(turn.request.address)?.reign !== turn.reign) {
        turn.revoke();
        this.#ends.settle(turn, failed(failures.reignEnded(turn)));
        return;
      }
      this.#finish(turn, result);
    } catch (error) {
      this.fail(turn, error);
    }
  }

  /** The operation threw, or what it returned cannot be used. Nothing of it takes effect. */
  fail(turn: Turn, thrown: unknown): void {
    if (turn.phase !== "running") return;
    turn.revoke();
    const error = this.#errorOf(turn, thrown);
    if (error.retryable || error.indeterminate || !turn.hasRun) {
      this.#ends.settle(turn, failed(error));
      return;
    }
    try {
      this.#confirmFailure(turn, error);
    } catch (second) {
      // Nothing was committed, so the first failure is still the truth.
      this.#log(turn).error("a failed turn could not be confirmed", { error: second });
      this.#ends.settle(turn, failed(error));
    }
  }

  /** Answers a call that has run before, or that must not run. */
  #hasAnswer(turn: Turn, open: OpenEntity, now: HybridTime): boolean {
    const { number, received, operation, input, outbox } = turn.request;
    const caller = dedupeName(turn);
    const { dedupe } = open.entity;
    const known = dedupe.lookup(caller, number, received);
    if (known.type === "forgotten") {
      // An outbox sends in order, so below its highest number everything has taken effect.
      if (outbox) this.#answer(turn, okOutcome);
      else this.#ends.settle(turn, failed(failures.answeredLongAgo(turn)));
      return true;
    }
    if (known.type === "hit") {
      if (known.digest === callDigest(operation, input)) this.#answer(turn, known.outcome);
      else this.#ends.settle(turn, failed(failures.numberReused(turn)));
      return true;
    }
    if (dedupe.hasRoom(caller, received, now)) return false;
    this.#ends.settle(turn, failed(failures.dedupeFull(turn)));
    return true;
  }

  /** Answers a retry once what it had done is confirmed. */
  #answer(turn: Turn, outcome: Outcome): void {
    if (outcome.type === "ok") {
      this.#release(turn, outcome.value, undefined, true);
      return;
    }
    const data = outcome.data.length === 0 ? undefined : this.#services.values.decode(outcome.data);
    const { functionName, key } = turn.request.address;
    const { code, message } = outcome;
    const details = { function: functionName, key, call: turn.callId, data };
    this.#releaseFailure(turn, new LatticeError(code, message, details), undefined);
  }

  #run(turn: Turn): unknown {
    const { operation } = turn;
    if (operation.isInternal) return operation.run(turn.draft, turn);
    const context = new TurnContext(turn, this.#services);
    const input = this.#input(turn);
    if (isThenable(input)) {
      return Promise.resolve(input).then(
        (checked) => {
          turn.hasRun = true;
          return this.#ends.meter.run(turn, () => operation.run(context, checked));
        },
        (error: unknown) => {
          throw refusalOf(turn, error);
        },
      );
    }
    turn.hasRun = true;
    return operation.run(context, input);
  }

  #input(turn: Turn): unknown {
    const { input } = turn.request;
    const { schema } = turn.operation;
    try {
      const value = input.length === 0 ? undefined : this.#services.values.decode(input);
      return schema === undefined ? value : applySchema(schema, value);
    } catch (error) {
      throw refusalOf(turn, error);
    }
  }

  #finish(turn: Turn, result: unknown): void {
    const { operation } = turn;
    const draft = turn.draft!;
    if (operation.isQuery) {
      const value = this.#encodeResult(turn, result);
      turn.revoke();
      this.#release(turn, value, undefined, false);
      return;
    }
    const value = operation.isInternal ? noBytes : this.#encodeResult(turn, result);
    let commit: StateCommit | undefined;
    try {
      if (turn.isProtected) {
        // The answer to an outbox carries no value, so none is kept for its retries.
        const kept = turn.request.outbox ? noBytes : value;
        draft.recordResult(recordOf(turn, { type: "ok", value: kept }));
      }
      commit = draft.finish(this.#services.settings.retireAt);
    } catch (error) {
      throw refusalOf(turn, error);
    }
    turn.revoke();
    this.#release(turn, value, commit, false);
  }

  #encodeResult(turn: Turn, result: unknown): Uint8Array {
    if (result === undefined) return noBytes;
    try {
      const value = checkOptionalValue(result, "result") as Value;
      const bytes = this.#services.values.encode(value);
      if (bytes.length <= limits.clientPayloadBytesMax) return bytes;
    } catch (error) {
      throw refusalOf(turn, error);
    }
    const most = `${String(limits.clientPayloadBytesMax)} bytes`;
    throw turn.refuse(failures.turnError(turn, "too_large", `its result is above ${most}`));
  }

  /** Commits, or just confirms what was seen, and answers when enough copies hold it. */
  #release(
    turn: Turn,
    value: Uint8Array,
    commit: StateCommit | undefined,
    fromDedupe: boolean,
  ): void {
    const hasCommit = commit !== undefined;
    turn.answer = { value, error: undefined, fromDedupe, hasCommit };
    this.#hold(turn, commit);
  }

  /** A refusal rests on what the handler saw, so it too is told when that is there to stay. */
  #releaseFailure(turn: Turn, error: LatticeError, commit: StateCommit | undefined): void {
    const hasCommit = commit !== undefined;
    turn.answer = { value: noBytes, error, fromDedupe: false, hasCommit };
    this.#hold(turn, commit);
  }

  /**
   * A failure of a call that was sent before is recorded: an earlier attempt of it may still be on
   * its way, and must not take effect after its caller was told that it failed.
   */
  #confirmFailure(turn: Turn, error: LatticeError): void {
    let commit: StateCommit | undefined;
    const { store, platform } = this.#services;
    const open = store.open(turn.request.address);
    if (open === undefined || open.reign !== turn.reign) {
      this.#ends.settle(turn, failed(failures.reignEnded(turn)));
      return;
    }
    if (turn.isProtected && turn.request.retry && !turn.operation.isQuery) {
      const draft = draftOf(turn, open, store.hybridTime(platform.clock.now()));
      const { code, message } = error;
      const data =
        error.data === undefined ? noBytes : this.#services.values.encode(error.data as Value);
      draft.recordResult(recordOf(turn, { type: "failed", code, message, data }));
      commit = draft.finish(this.#services.settings.retireAt);
    }
    this.#releaseFailure(turn, error, commit);
  }

  #hold(turn: Turn, commit: StateCommit | undefined): void {
    const { store } = this.#services;
    const { address } = turn.request;
    turn.phase = "confirming";
    try {
      if (commit !== undefined) store.commit(address, commit, turn.acks, turn);
      else if (turn.heldBy > 0) turn.released({ type: "ok", copies: turn.heldBy, degraded: false });
      else if (mustBeFresh(turn)) store.confirmTerm(address, this.#confirmAcks(turn), turn);
      else store.confirm(address, this.#confirmAcks(turn), turn);
    } catch (error) {
      this.#log(turn).error("a turn could not be committed", { error });
      this.#end(turn, indeterminate(turn, "its commit failed; it may or may not stay"));
    }
    if (isInPhase(turn, "confirming")) this.#ends.isConfirming(turn);
  }

  /** Enough copies hold what the turn did or saw, or that will not be known. */
  released(turn: Turn, release: Release): void {
    const { answer } = turn;
    if (answer === undefined) return;
    const { value, error, fromDedupe, hasCommit } = answer;
    if (release.type === "ok") {
      const { copies, degraded } = release;
      if (error !== undefined) this.#end(turn, failed(error));
      else
        this.#end(turn, {
          type: "ok",
          value,
          copies,
          degraded,
          fromDedupe,
          seen: seenBy(turn, this.#services),
        });
      if (turn.hasAfterCommit && error === undefined) this.#runAfterCommit(turn);
    } else if (hasCommit || (error === undefined && !turn.operation.isQuery)) {
      this.#end(turn, indeterminate(turn, unconfirmed));
    } else {
      this.#end(turn, failed(failures.unstableAnswer(turn, "not confirmed in time")));
    }
  }

  /** `acks: 1` is a promise about the call's own change, never a licence to show what may go. */
  #confirmAcks(turn: Turn): Acks {
    return turn.acks === 1 ? this.#services.settings.acksDefault : turn.acks;
  }

  #end(turn: Turn, outcome: TurnOutcome): void {
    if (turn.phase === "confirming") this.#ends.settle(turn, outcome);
  }

  #runAfterCommit(turn: Turn): void {
    for (const run of turn.afterCommit) {
      try {
        const result: unknown = this.#ends.meter.run(turn, run);
        if (!isThenable(result)) continue;
        Promise.resolve(result).catch((error: unknown) => {
          failures.logThrown(this.#log(turn), "ctx.afterCommit failed", error);
        });
      } catch (error) {
        failures.logThrown(this.#log(turn), "ctx.afterCommit failed", error);
      }
    }
  }

  /** What the caller gets for what was thrown. */
  #errorOf(turn: Turn, thrown: unknown): LatticeError {
    if (turn.isRefusal(thrown)) return thrown;
    if (!turn.hasRun && thrown instanceof LatticeError) return thrown;
    if (turn.isPassable(thrown)) {
      const code = thrown.code === "not_owner" ? "unavailable" : thrown.code;
      const { indeterminate: unknown, retryAfterMs } = thrown;
      return failures.turnError(turn, code, thrown.message, {
        indeterminate: unknown,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        cause: thrown,
      });
    }
    const { exposeErrors } = this.#services.settings;
    const error = failures.handlerError(turn, thrown, exposeErrors);
    failures.logThrown(this.#log(turn), "a handler or query failed", thrown);
    return error;
  }

  #log(turn: Turn): Logger {
    return turnLogger(turn, this.#services.platform.logger);
  }
}

const noBytes = new Uint8Array(0);
const unconfirmed =
  "run, but too few copies confirmed it in time: it may or may not stay; retry it protected";
const okOutcome: Outcome = { type: "ok", value: noBytes };

function indeterminate(turn: Turn, message: string): TurnOutcome {
  return failed(failures.turnError(turn, "indeterminate", message));
}

/** Marks an error of ours as one that the caller gets as it is. */
function refusalOf(turn: Turn, error: unknown): unknown {
  return error instanceof LatticeError ? turn.refuse(error) : error;
}

function recordOf(turn: Turn, outcome: Outcome): Parameters<Draft["recordResult"]>[0] {
  const { number, received, operation, input } = turn.request;
  const caller = dedupeName(turn);
  return { caller, number, received, digest: callDigest(operation, input), outcome };
}

/** Under which name the dedupe table keeps a call. An idempotency key is never taken for a caller. */
function dedupeName({ request }: Turn): string {
  return request.number === 0 ? `=${request.caller}` : request.caller;
}

/** A call of ours may have changed it, which the compiler does not see. */
function isInPhase(turn: Turn, phase: TurnPhase): boolean {
  return turn.phase === phase;
}
