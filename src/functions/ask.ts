/**
 * `await ctx.get(…).operation(input)`: a call from inside a turn. It goes out through the port
 * `Calls` with the turn's age and its chain of held entities, which is what lets the other side
 * refuse what could wait for ever; it ends when this turn is cut off.
 */
import type { AskOptions } from "../definition/call-options.ts";
import { LatticeError } from "../model/error.ts";
import { entityName } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { checkOptionalValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";
import { chainFrom } from "./call-chain.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices } from "./turn-services.ts";

export interface TurnAsk {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  /** Unchecked. */
  readonly input: unknown;
  readonly options: AskOptions;
}

/** Rejects with the failure of the call, or with what cut the turn off. */
export function ask(turn: Turn, services: TurnServices, call: TurnAsk): Promise<Value | undefined> {
  const asked = perform(turn, services, call);
  // See `sleep`: a handler may have ended, or may never await.
  asked.catch(ignore);
  return asked;
}

async function perform(
  turn: Turn,
  services: TurnServices,
  call: TurnAsk,
): Promise<Value | undefined> {
  turn.checkActive();
  const input = checkOptionalValue(call.input, "input");
  const chain = chainFrom(turn);
  checkChain(turn, call, chain);
  giveAge(turn, services);
  const { signal } = call.options;
  const remainingMs = Math.max(0, turn.deadlineAt - services.platform.clock.now());
  const askNumber = turn.nextAskNumber();
  turn.beginAsk();
  try {
    const value = await services.calls.ask({
      functionName: call.functionName,
      key: call.key,
      operation: call.operation,
      input,
      timeoutMs: Math.min(call.options.timeoutMs ?? remainingMs, remainingMs),
      signal: signal === undefined ? turn.signal : AbortSignal.any([turn.signal, signal]),
      ageTime: turn.ageTime,
      ageId: turn.ageId,
      chain,
      // Nothing is kept of a run without state, so none takes up where an earlier one was.
      ...(turn.isStateless ? ofNobody : protectionOf(turn)),
      askNumber,
      trace: turn.trace.traceparent,
      inSession: turn.request.inSession,
      noteSeen: (seen) => {
        turn.noteSeen(seen);
      },
    });
    turn.checkActive();
    return value;
  } catch (error) {
    turn.passOn(error);
    throw error;
  } finally {
    turn.endAsk();
  }
}

const ofNobody = { caller: "", number: 0, received: 0 };

function protectionOf({ request }: Turn): typeof ofNobody {
  const { caller, number, received } = request;
  return { caller, number, received };
}

/** Refuses here what every receiver would refuse: it saves the way there. */
function checkChain(turn: Turn, call: TurnAsk, chain: readonly string[]): void {
  const target = entityName(call.functionName, call.key);
  if (chain.includes(target)) throw reentry(target, chain);
  if (chain.length > limits.callDepthMax) throw tooDeep(turn.label);
}

/** The error of a chain of calls that comes back to an entity that it holds. */
export function reentry(name: string, chain: readonly string[]): LatticeError {
  return new LatticeError(
    "invalid_argument",
    `${name} is already held by this chain of calls (${chain.join(" → ")}): it would wait for ` +
      `itself; use ctx.send, or move the work into one handler`,
  );
}

export function tooDeep(label: string): LatticeError {
  return new LatticeError(
    "invalid_argument",
    `${label}: calls may ask calls ${String(limits.callDepthMax)} deep; use ctx.send instead`,
  );
}

/** A root call that came without an age gets one with its first ask. */
function giveAge(turn: Turn, services: TurnServices): void {
  if (turn.ageTime !== 0) return;
  const { caller, number } = turn.request;
  turn.ageTime = services.store.timeAt(services.platform.clock.now());
  turn.ageId = caller === "" ? services.platform.ids.unique() : `${caller}:${String(number)}`;
}

function ignore(): void {
  return;
}
