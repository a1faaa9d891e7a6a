/** A history as its checker works on it: what each operation means, in the order of invocation. */
import { apply, type Effect, type Model } from "./model.ts";
import type { Operation, State } from "./operation.ts";

export interface Step {
  readonly operation: Operation;
  readonly requires: State | undefined;
  readonly effect: Effect;
  readonly invokedAt: number;
  /** `Infinity` where the outcome is unknown. */
  readonly returnedAt: number;
  /** The same for steps that do and require the same. */
  readonly twins: string;
  /** Of a known step its place among them, of an unknown one that of its row. */
  readonly index: number;
}

export interface Steps {
  /** Those that must have a place, by invocation. */
  readonly known: readonly Step[];
  /** Those that may have one; a row holds twins, by invocation. */
  readonly unknown: readonly (readonly Step[])[];
}

/** Leaves out what fits everywhere and changes nothing, such as reads without an answer. */
export function stepsOf(operations: readonly Operation[], model: Model): Steps {
  const known: Step[] = [];
  const rows = new Map<string, Step[]>();
  for (const operation of [...operations].sort((a, b) => a.invokedAt - b.invokedAt)) {
    const { invokedAt, returnedAt = Infinity } = operation;
    const isKnown = returnedAt < Infinity;
    const seen = isKnown ? operation : { ...operation, output: undefined };
    const { requires, effect } = model.meaningOf(seen);
    if (requires === undefined && effect.type === "none") continue;
    const twins = JSON.stringify(requires === undefined ? [effect] : [effect, requires]);
    const row = rows.get(twins) ?? [];
    if (!isKnown) rows.set(twins, row);
    const index = isKnown ? known.length : [...rows.keys()].indexOf(twins);
    const step = { operation, requires, effect, invokedAt, returnedAt, twins, index };
    (isKnown ? known : row).push(step);
  }
  return { known, unknown: [...rows.values()] };
}

/** The state after these, in this order. */
export function stateAfter(steps: readonly Step[], initial: State): State {
  return steps.reduce((state, { effect }) => apply(state, effect), initial);
}
