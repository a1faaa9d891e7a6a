/**
 * A chain of calls (`pipe`): runs the stage that came here, and when it is committed makes the call of the
 * next one, with the stages that are left, and passes its answer back. So a chain goes from primary to
 * primary, and its answer the same way back.
 *
 *     caller ─▶ stage 1 ─▶ stage 2 ─▶ stage 3
 *        ◀────────┴─────────┴──────────┘
 *
 * The next call is made under a name that follows from this one's, as asks are: a stage that is repeated is
 * answered from the dedupe table and makes the same call once more, which is answered alike. The turn is over
 * by then, so a chain holds nothing while it waits.
 */
import { decodeValue, encodeValue } from "../../codec/value-bytes.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { Registry, RegisteredOperation } from "../../functions/registry.ts";
import { LatticeError } from "../../model/error.ts";
import type { NodeId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Value } from "../../model/value.ts";
import type { Clock } from "../../platform/platform.ts";
import {
  callFlags,
  replyFlags,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";
import type { Addresses } from "./addresses.ts";
import type { AskIdentity } from "./ask-protection.ts";
import type { CallProtection } from "./call-protection.ts";
import type { NodeCallEnd, NodeCallRequest } from "./node-call-request.ts";
import {
  acksOf,
  failureOf,
  noBytes,
  whenSplitOf,
  type CallUnderWay,
  type Origin,
} from "./served-call.ts";

/** Who makes the calls of the stages to come. */
export interface StageCaller {
  /** Makes a call; `done` is called once. */
  call(
    request: NodeCallRequest,
    done: (end: NodeCallEnd) => void,
  ): { cancel(error: LatticeError): void };
  protectionOf(request: AskIdentity): CallProtection;
}

interface PipesOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly addresses: Addresses;
  readonly caller: StageCaller;
  /** Runs a stage as a call of its own. */
  readonly run: (call: CallMessage, origin: Origin) => CallUnderWay | undefined;
}

interface PipedCallOptions extends PipesOptions {
  readonly passedOn: () => void;
}

export class Pipes {
  readonly #options: PipedCallOptions;
  /** Stages that went on to another since the start. */
  passedOnCount = 0;

  constructor(options: PipesOptions) {
    this.#options = { ...options, passedOn: () => (this.passedOnCount += 1) };
  }

  /** Runs the first stage that is left; the end of the last one is told to `origin`, once. */
  begin(call: CallMessage, address: EntityAddress, origin: Origin): CallUnderWay | undefined {
    const { registry, addresses, self } = this.#options;
    try {
      const { input, stages, at } = stagesOf(call);
      const [here, next, ...rest] = [firstOf(call), ...stages].map((stage) => {
        const operation = registry.operation(stage.functionName, stage.operation);
        if (operation.isQuery || operation.function.isStateless) throw noStage(stage);
        addresses.of(stage.functionName, stage.key);
        return { ...stage, operation };
      });
      const piped = new PipedCall(
        { call, address, origin, input, at, here: here!, next: next!, rest },
        this.#options,
      );
      piped.start();
      return piped.isOver ? undefined : piped;
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      origin.done(call.id);
      origin.answer(failureOf(call.id, error, self));
      return undefined;
    }
  }
}

interface StageName {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
}

interface KnownStage extends Omit<StageName, "operation"> {
  readonly operation: RegisteredOperation;
}

interface PipedCallParts {
  readonly call: CallMessage;
  readonly address: EntityAddress;
  readonly origin: Origin;
  readonly input: Value | undefined;
  /** Which stage of the whole chain this is, from 1. */
  readonly at: number;
  readonly here: KnownStage;
  readonly next: KnownStage;
  /** Behind the next one. */
  readonly rest: readonly KnownStage[];
}

class PipedCall implements CallUnderWay {
  readonly #parts: PipedCallParts;
  readonly #options: PipedCallOptions;
  readonly #arrivedAt: number;
  #underWay: (() => void) | undefined;
  isOver = false;

  constructor(parts: PipedCallParts, options: PipedCallOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#arrivedAt = options.clock.now();
  }

  start(): void {
    const { call, input, origin } = this.#parts;
    const stage: CallMessage = {
      ...call,
      flags: call.flags & ~callFlags.piped,
      input: bytesOf(input),
    };
    const answer = (end: ReplyMessage | FailureMessage): void => {
      this.#stageEnded(end);
    };
    const running = this.#options.run(stage, { node: origin.node, answer, done: nothing });
    if (running !== undefined && !this.isOver && this.#underWay === undefined) {
      this.#underWay = () => {
        running.cancel();
      };
    }
  }

  cancel(): void {
    this.#underWay?.();
  }

  #stageEnded(end: ReplyMessage | FailureMessage): void {
    if (end.type === "reply") {
      this.#goOn(end);
      return;
    }
    const { at, rest, here } = this.#parts;
    this.#settle({ ...end, message: titled(here, at, at + 1 + rest.length, end.message) });
  }

  #goOn(reply: ReplyMessage): void {
    const { call, address, next, rest, at } = this.#parts;
    const { clock, caller, passedOn } = this.#options;
    const { caller: name, number, received, flags } = call;
    const place = `>${address.name}`;
    const protection = caller.protectionOf({
      caller: name,
      number,
      received,
      // It is no ask of the turn, so it has a name of its own; the first one begins a family.
      chain: at === 1 ? [place] : ["", place],
      askNumber: 1,
    });
    const { settings } = next.operation.function;
    passedOn();
    const nextCall = caller.call(
      {
        functionName: next.functionName,
        key: next.key,
        operation: next.operation.name,
        isQuery: false,
        isPiped: rest.length > 0,
        input: rest.length === 0 ? reply.value : pipedInput(reply.value, rest, at + 1),
        timeoutMs: Math.max(1, call.timeoutMs - (clock.now() - this.#arrivedAt)),
        caller: protection.caller,
        number: protection.number,
        received: () => protection.received(),
        outbox: false,
        isRetry: (flags & callFlags.retry) !== 0,
        whenSplit: whenSplitOf(flags) ?? settings.whenSplit,
        readFrom: "primary",
        session: (flags & callFlags.session) === 0 ? undefined : unseenSession,
        acks: acksOf(call.acks),
        strictAcks: (flags & callFlags.strictAcks) !== 0,
        ageTime: 0,
        ageId: "",
        chain: [],
        trace: call.trace,
      },
      (end) => {
        protection.settled();
        this.#ended(reply, end);
      },
    );
    this.#underWay = () => {
      const text = "cancelled by its caller; stages before it took effect";
      nextCall.cancel(new LatticeError("cancelled", text, { indeterminate: true }));
    };
  }

  /** The rest of the chain is over. */
  #ended(reply: ReplyMessage, end: NodeCallEnd): void {
    const { call, rest, next, at } = this.#parts;
    if (end.type === "failed") {
      const failure = this.#failureOf(end.error);
      // Others say by themselves which stage it was.
      if (rest.length > 0) this.#settle(failure);
      else this.#settle({ ...failure, message: titled(next, at + 1, at + 1, failure.message) });
      return;
    }
    const seen = [...(reply.seen ?? []), ...(end.seen ?? [])].slice(0, limits.seenMarksMax);
    this.#settle({
      ...reply,
      id: call.id,
      flags: reply.flags | (end.degraded ? replyFlags.degraded : 0),
      copies: Math.min(reply.copies, end.copies),
      node: end.node,
      seen,
      value: end.value,
    });
  }

  /** Whoever is not protected must not try again: the stage here has taken effect. */
  #failureOf(error: LatticeError): FailureMessage {
    const { id, caller } = this.#parts.call;
    const failure = failureOf(id, error, this.#options.self);
    if (caller !== "" || !error.retryable) return failure;
    return { ...failure, code: "indeterminate", indeterminate: true };
  }

  #settle(end: ReplyMessage | FailureMessage): void {
    if (this.isOver) return;
    this.isOver = true;
    const { origin, call } = this.#parts;
    origin.done(call.id);
    origin.answer({ ...end, id: call.id });
  }
}

const unseenSession = { seenOf: (): undefined => undefined, note: nothing };

/** What `pipe` made of its input. @throws LatticeError `invalid_argument` */
function stagesOf(call: CallMessage): {
  readonly input: Value | undefined;
  readonly stages: readonly StageName[];
  readonly at: number;
} {
  const {
    input,
    then,
    at = 1,
  } = recordOf(call.input.length === 0 ? null : decodeValue(call.input));
  const isList = Array.isArray(then) && then.length > 0;
  const isPlaced = typeof at === "number" && Number.isInteger(at) && at >= 1;
  if (!isList || !isPlaced || at + then.length > limits.callDepthMax) throw malformed();
  const stages = then.map((stage) => {
    const [functionName, key, operation] = Array.isArray(stage) ? (stage as readonly Value[]) : [];
    if (typeof functionName !== "string" || typeof key !== "string") throw malformed();
    if (typeof operation !== "string") throw malformed();
    return { functionName, key, operation };
  });
  return { input, stages, at };
}

function recordOf(value: Value): Readonly<Record<string, Value>> {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isRecord || value instanceof Uint8Array) throw malformed();
  return value as Readonly<Record<string, Value>>;
}

function pipedInput(value: Uint8Array, rest: readonly KnownStage[], at: number): Uint8Array {
  const then = rest.map(({ functionName, key, operation }) => [functionName, key, operation.name]);
  return encodeValue(value.length === 0 ? { then, at } : { input: decodeValue(value), then, at });
}

/** A failure's message, with the stage that it is of. */
function titled(stage: KnownStage, at: number, count: number, message: string): string {
  const name = `${stage.functionName}/${stage.key} ${stage.operation.name}`;
  return `stage ${String(at)} of ${String(count)} (${name}): ${message}`;
}

function firstOf({ functionName, key, operation }: CallMessage): StageName {
  return { functionName, key, operation };
}

function bytesOf(input: Value | undefined): Uint8Array {
  return input === undefined ? noBytes : encodeValue(input);
}

function malformed(): LatticeError {
  const stages = `2 … ${String(limits.callDepthMax)} stages`;
  return new LatticeError("invalid_argument", `a chain of calls is made of ${stages} by pipe()`);
}

function noStage({ functionName, key, operation }: StageName): LatticeError {
  return new LatticeError(
    "invalid_argument",
    `${functionName}/${key} ${operation}: a stage of a chain is a handler of a function with state; ` +
      "nothing took effect",
    { function: functionName, key },
  );
}

function nothing(): void {
  return;
}
