/**
 * Judges histories: is there an order of the operations, each at one moment between its invocation and
 * its return, that one object without concurrency would have answered alike (Herlihy and Wing,
 * "Linearizability", 1990)? Where there is none, it says which operation is the first that cannot have
 * been answered as it was, and shows what came before it.
 */
import type { Model } from "./model.ts";
import { describe, type Operation, type State } from "./operation.ts";
import { search } from "./search.ts";
import { stateAfter, type Step } from "./step.ts";

/** Some hundred megabytes of memory, and a quarter of a minute or more. */
const configurationsMaxDefault = 1_000_000;
/** Operations of the longest order that an explanation shows. */
const shownMax = 8;

export interface Violation {
  readonly type: "violation";
  /** Operations that had returned before `misfit` did, in an order that time and object allow. */
  readonly prefix: readonly Operation[];
  /** After `prefix`. */
  readonly state: State;
  /** The operation that fits nowhere among them: without it they are linearizable, with it not. */
  readonly misfit: Operation;
  /** Invoked before `misfit` returned, and not returned by then: each may have taken effect or not. */
  readonly pending: readonly Operation[];
  /** All of that as text. */
  readonly explanation: string;
}

export type Verdict =
  /** Operations of unknown outcome are in the order only where something told that they ran. */
  | { readonly type: "linearizable"; readonly order: readonly Operation[] }
  | Violation
  /** Given up after so many configurations. */
  | { readonly type: "unknown"; readonly configurations: number };

/** @param history of one object */
export function checkHistory(
  history: readonly Operation[],
  model: Model,
  configurationsMax = configurationsMaxDefault,
): Verdict {
  const end = search(history, model, configurationsMax);
  switch (end.type) {
    case "found":
      return { type: "linearizable", order: end.order.map(({ operation }) => operation) };
    case "unknown":
      return { type: "unknown", configurations: end.configurations };
    case "none":
      return violationOf(history, model, configurationsMax);
  }
}

/** What ends first and cannot: found by halving, as each part of a linearizable history is one too. */
function violationOf(
  history: readonly Operation[],
  model: Model,
  configurationsMax: number,
): Violation {
  const returned = history.filter(({ returnedAt }) => returnedAt !== undefined);
  returned.sort((a, b) => a.returnedAt! - b.returnedAt!);
  let steps: readonly Step[] = [];
  let good = 0;
  let bad = returned.length;
  while (good + 1 < bad) {
    const middle = Math.floor((good + bad) / 2);
    const end = search(partOf(history, returned.slice(0, middle)), model, configurationsMax);
    if (end.type === "none") {
      bad = middle;
    } else {
      good = middle;
      if (end.type === "found") steps = end.order;
    }
  }
  const misfit = returned[bad - 1]!;
  const prefix = steps.map(({ operation }) => operation);
  const state = stateAfter(steps, model.initial);
  const ended = new Set(returned.slice(0, bad));
  const pending = history.filter(
    (operation) =>
      operation.invokedAt <= misfit.returnedAt! &&
      operation.input.type !== "read" &&
      !ended.has(operation) &&
      !prefix.some(({ id }) => id === operation.id),
  );
  const found = { type: "violation", prefix, state, misfit, pending } as const;
  return { ...found, explanation: explain(found) };
}

/** The history as it was when the last of these returned. */
function partOf(history: readonly Operation[], ended: readonly Operation[]): Operation[] {
  const endedAt = ended.at(-1)?.returnedAt ?? -Infinity;
  const hasEnded = new Set(ended);
  return history
    .filter(({ invokedAt }) => invokedAt <= endedAt)
    .map((operation) =>
      hasEnded.has(operation)
        ? operation
        : { ...operation, returnedAt: undefined, output: undefined },
    );
}

function explain({ prefix, state, misfit, pending }: Omit<Violation, "explanation">): string {
  const shown = prefix.slice(-shownMax);
  const hidden = prefix.length - shown.length;
  return [
    `${misfit.key}: ${describe(misfit)} fits nowhere.`,
    `Before it ${prefix.length} operations can be put in order:`,
    ...(hidden > 0 ? [`  … ${hidden} more`] : []),
    ...shown.map((operation) => `  ${describe(operation)}`),
    `  then the state is ${JSON.stringify(state)}`,
    ...(pending.length > 0 ? ["Not returned by then, so that each may have run or not:"] : []),
    ...pending.slice(0, shownMax).map((operation) => `  ${describe(operation)}`),
    ...(pending.length > shownMax ? [`  … ${pending.length - shownMax} more`] : []),
  ].join("\n");
}

/** Each key is an object of its own: what is linearizable by key is linearizable. */
export function historiesByKey(operations: readonly Operation[]): Map<string, Operation[]> {
  const histories = new Map<string, Operation[]>();
  for (const operation of operations) {
    const history = histories.get(operation.key);
    if (history === undefined) histories.set(operation.key, [operation]);
    else history.push(operation);
  }
  return histories;
}
