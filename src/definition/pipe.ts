/**
 * `pipe(cart.checkOut, stock.reserve)`: a chain of calls that runs from primary to primary. What a stage
 * returns is the input of the next, and only the last result comes back.
 */
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { noCallOptions } from "./call-options.ts";
import { stageOf, type HandleStage } from "./handle.ts";

/** A handler of a handle. */
export type Stage = (...args: never) => Promise<unknown>;

/** The last one's result. */
export type LastOf<S extends readonly Stage[]> = S extends readonly [
  ...Stage[],
  infer L extends Stage,
]
  ? ReturnType<L>
  : ReturnType<S[number]>;

/** The same stages, each taking what the one before returns. */
export type Fitting<In, S extends readonly Stage[]> = S extends readonly [
  infer F extends Stage,
  ...infer Rest extends readonly Stage[],
]
  ? readonly [(input: In) => ReturnType<F>, ...Fitting<Awaited<ReturnType<F>>, Rest>]
  : S;

/**
 * Makes one function of 2 … 16 handlers. Each stage is a turn of its own, which is committed before the next
 * one begins, and nothing is held meanwhile. A stage that fails ends the chain with its error; what came
 * before it has taken effect. Under retries each takes effect once. The options of the first handle hold for
 * all stages, but for `reply`.
 *
 * @throws LatticeError `invalid_argument` for what is no handler of a handle, handles of several clients,
 *   options of a later stage, `reply: "full"`; and when it is called, whatever the first handler throws
 */
export function pipe<F extends Stage, S extends readonly [Stage, ...Stage[]]>(
  first: F,
  ...rest: S & Fitting<Awaited<ReturnType<F>>, S>
): (...args: Parameters<F>) => LastOf<S> {
  const [head, ...stages] = [first, ...(rest as readonly Stage[])].map(describe);
  if (head === undefined || stages.length === 0 || stages.length >= limits.callDepthMax) {
    throw invalid(`it takes 2 … ${String(limits.callDepthMax)} stages`);
  }
  const { source, functionName, key, operation, options } = head;
  if (options.reply === "full") throw invalid('it has no `reply: "full"`');
  for (const stage of stages) {
    if (stage.options !== noCallOptions) throw invalid("options belong to the first stage");
  }
  const then = stages.map((stage) => [stage.functionName, stage.key, stage.operation]);
  const run = (...[input]: Parameters<F>): Promise<unknown> => {
    const piped = { input, then };
    return source.call({ functionName, key, operation, input: piped, options, isPiped: true });
  };
  // The types of the stages say what comes back, which no code here can see.
  return run as (...args: Parameters<F>) => never;
}

function describe(method: Stage): HandleStage {
  const stage = typeof method === "function" ? stageOf(method) : undefined;
  if (stage === undefined) throw invalid("a stage is a handler of a handle");
  return stage;
}

function invalid(why: string): LatticeError {
  return new LatticeError("invalid_argument", `pipe: ${why}`);
}
