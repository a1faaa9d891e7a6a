/**
 * What a handler or query holds while it runs: the run-time form of `HandlerContext` and
 * `QueryContext`. One class for both, so that plain JavaScript that sends from a query is told so.
 * Its members are accessors that return functions: `const { state, send } = ctx` works, and nothing
 * is allocated for what a handler does not use.
 */
import type { AskHandle } from "../definition/ask-handle.ts";
import { createAskHandle } from "../definition/ask-handle.ts";
import type { AskOptions } from "../definition/call-options.ts";
import type { ComputeOptions } from "../definition/compute-options.ts";
import type { Caller, Fail, HandlerContext, Log, Trace } from "../definition/contexts.ts";
import { refusalCodes } from "../definition/contexts.ts";
import type { AnyFunction } from "../definition/function-definition.ts";
import type { Live, Shape } from "../definition/kinds.ts";
import type { Sender } from "../definition/sender.ts";
import { createSender } from "../definition/sender.ts";
import { checkTimerId } from "../definition/timers.ts";
import type { ScheduleOptions, TimerView } from "../definition/timers.ts";
import { LatticeError } from "../model/error.ts";
import { splitEntityName } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { checkKey } from "../model/names.ts";
import { hybridTimeToMs } from "../model/time.ts";
import { checkOptionalValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";
import { ask } from "./ask.ts";
import { entityOf } from "./call-chain.ts";
import { compute } from "./compute.ts";
import { outboxSender } from "./outbox-caller.ts";
import { schedule, timersOf } from "./schedule.ts";
import { sleep } from "./sleep.ts";
import type { Turn } from "./turn.ts";
import { turnLogger } from "./turn-log.ts";
import type { TurnServices } from "./turn-services.ts";

export class TurnContext implements HandlerContext<Shape> {
  readonly #turn: Turn;
  readonly #services: TurnServices;

  constructor(turn: Turn, services: TurnServices) {
    this.#turn = turn;
    this.#services = services;
  }

  get key(): string {
    return this.#active().request.address.key;
  }

  get state(): Live<Shape> {
    const turn = this.#withState("state");
    const draft = turn.draft!;
    return turn.operation.isQuery ? draft.view : draft.live;
  }

  get caller(): Caller {
    return callerOf(this.#active());
  }

  get signal(): AbortSignal {
    return this.#active().signal;
  }

  get log(): Log {
    const turn = this.#active();
    return turnLogger(turn, this.#services.platform.logger, turn.trace.traceId);
  }

  get trace(): Trace {
    return this.#active().trace;
  }

  get now(): () => number {
    return () => {
      const { isQuery } = this.#active().operation;
      const { store, platform } = this.#services;
      const now = platform.clock.now();
      return hybridTimeToMs(isQuery ? store.timeAt(now) : store.hybridTime(now));
    };
  }

  get random(): () => number {
    return () => {
      this.#active();
      return this.#services.platform.random();
    };
  }

  get get(): <F extends AnyFunction>(target: F, key: string) => AskHandle<F> {
    return (definition, key) => {
      const turn = this.#active();
      const functionName = this.#services.registry.nameOf(definition);
      checkKey(key);
      return createAskHandle({
        functionName,
        key,
        definition,
        ask: (operation: string, input: unknown, options: AskOptions) =>
          ask(turn, this.#services, { functionName, key, operation, input, options }),
      });
    };
  }

  get send(): <F extends AnyFunction>(target: F, key: string) => Sender<F> {
    return (definition, key) => {
      this.#writing("send");
      const functionName = this.#services.registry.nameOf(definition);
      checkKey(key);
      const send = (operation: string, input: unknown): void => {
        this.#send(functionName, key, operation, input);
      };
      return createSender({ functionName, key, definition, send });
    };
  }

  get schedule(): (handler: string, when: ScheduleOptions, input?: Value) => string {
    return (handler, when, input) =>
      schedule(this.#writing("schedule"), this.#services, { handler, when, input });
  }

  get cancelTimer(): (id: string) => boolean {
    return (id) => {
      const turn = this.#writing("cancelTimer");
      checkTimerId(id);
      return turn.draft!.timers.cancel(id);
    };
  }

  get timers(): () => readonly TimerView[] {
    return () => timersOf(this.#active(), this.#services.values);
  }

  get delete(): () => void {
    return () => {
      this.#writing("delete").draft!.delete();
    };
  }

  get sleep(): (ms: number) => Promise<void> {
    return (ms) => sleep(this.#writing("sleep"), this.#services.platform.timers, ms);
  }

  get compute(): HandlerContext<Shape>["compute"] {
    return <R>(module: URL | string, input?: Value, options: ComputeOptions = {}) =>
      compute(this.#active(), this.#services, { module, input, options }) as Promise<R>;
  }

  get afterCommit(): (run: () => void | Promise<void>) => void {
    return (run) => {
      const turn = this.#writing("afterCommit");
      if (typeof run !== "function") {
        throw new LatticeError("invalid_argument", "ctx.afterCommit takes a function");
      }
      turn.addAfterCommit(run);
    };
  }

  get fail(): Fail {
    return (code, message, data) => {
      const turn = this.#writing("fail");
      if (!refusalCodes.includes(code)) {
        throw new LatticeError(
          "invalid_argument",
          `ctx.fail takes one of ${refusalCodes.join(", ")}, got '${code}'`,
        );
      }
      throw turn.refuse(
        new LatticeError(code, message.slice(0, messageLengthMax), {
          function: turn.request.address.functionName,
          key: turn.request.address.key,
          call: turn.callId,
          data: checkOptionalValue(data, "data"),
        }),
      );
    };
  }

  #active(): Turn {
    this.#turn.checkActive();
    return this.#turn;
  }

  #withState(member: string): Turn {
    const turn = this.#active();
    if (!turn.isStateless) return turn;
    const advice = member === "send" ? "use ctx.get, or give it state" : "give it state";
    throw new LatticeError(
      "invalid_argument",
      `${turn.label}: a function without state has no ctx.${member}: ${advice}`,
    );
  }

  #writing(member: string): Turn {
    const turn = ofEveryHandler.has(member) ? this.#active() : this.#withState(member);
    if (!turn.operation.isQuery) return turn;
    throw new LatticeError(
      "invalid_argument",
      `${turn.label}: a query only reads, it has no ctx.${member}: make it a handler`,
    );
  }

  #send(functionName: string, key: string, operation: string, input: unknown): void {
    const turn = this.#active();
    const value = checkOptionalValue(input, "input");
    const bytes = value === undefined ? noBytes : this.#services.values.encode(value);
    if (bytes.length > limits.clientPayloadBytesMax) {
      throw new LatticeError("too_large", `${turn.label}: the input of a send is too large`);
    }
    try {
      const { traceparent } = turn.trace;
      turn.draft!.send({ functionName, key, operation, input: bytes, trace: traceparent });
    } catch (error) {
      turn.passOn(error);
      throw error;
    }
  }
}

const noBytes = new Uint8Array(0);
/** What handlers have that queries lack, with state or without. */
const ofEveryHandler: ReadonlySet<string> = new Set(["sleep", "fail"]);
/** Characters of a message given to `ctx.fail`. */
const messageLengthMax = 4_096;

function callerOf(turn: Turn): Caller {
  const { caller, chain, outbox, timer } = turn.request;
  if (timer !== undefined) return { type: "timer", id: timer.id, at: timer.at };
  const asking = outbox ? outboxSender(caller) : chain.at(-1);
  return asking === undefined
    ? { type: "client", id: caller }
    : { type: "function", ...splitEntityName(entityOf(asking)) };
}
