/**
 * Looks for an order of the operations of one history that respects time and that a sequential object
 * could have run: the search of Wing and Gong ("Testing and verifying concurrent objects", 1993) with
 * the memory of configurations of Lowe ("Testing for linearizability", 2017), one object at a time
 * (Horn and Kroening, "Faster linearizability checking via P-compositionality", 2015).
 *
 *   take what only looks ─▶ complete? known dead end? ─▶ for each choice: take it, go on, give it back
 *
 * What it leaves out is what leads nowhere, or to nothing that another branch does not lead to as well:
 *
 * - An operation that fits and changes nothing is taken at once: wherever an order has it later, it
 *   could stand here.
 * - Of candidates that do and require the same, the one that returns first goes first: an order that
 *   has them the other way round may swap them.
 * - A state that somebody still has to meet is left only if it can come back.
 * - One of unknown outcome is taken just in time, right before what needs it: elsewhere it can be moved
 *   or left out. So dozens of them cost little. The same holds for an addition that was told nothing, but
 *   for the one that returns first.
 * - A set of what nobody reads is taken right before the next set, which hides it.
 */
import { Configuration, type Candidates } from "./configuration.ts";
import type { Model } from "./model.ts";
import type { Operation } from "./operation.ts";
import { stepsOf, type Step } from "./step.ts";

export type SearchEnd =
  /** Operations of unknown outcome are in it only where they are needed. */
  | { readonly type: "found"; readonly order: readonly Step[]; readonly configurations: number }
  | { readonly type: "none"; readonly configurations: number }
  /** Given up. */
  | { readonly type: "unknown"; readonly configurations: number };

/** Takes the step, or only what is hidden by whatever comes after. */
type Choice = Step | "hidden";

interface Branch {
  /** Steps taken before the choice. */
  readonly length: number;
  readonly choices: readonly Choice[];
  next: number;
}

/** @param operations of one object */
export function search(
  operations: readonly Operation[],
  model: Model,
  configurationsMax: number,
): SearchEnd {
  const configuration = new Configuration(stepsOf(operations, model), model.initial);
  const seen = new Set<string>();
  const branches: Branch[] = [];
  for (;;) {
    takeObservers(configuration);
    if (configuration.isComplete) {
      return { type: "found", order: [...configuration.order], configurations: seen.size };
    }
    const key = configuration.key();
    if (!seen.has(key)) {
      if (seen.size === configurationsMax) return { type: "unknown", configurations: seen.size };
      seen.add(key);
      const { length } = configuration.order;
      branches.push({ length, choices: choicesOf(configuration), next: 0 });
    }
    if (!nextChoice(configuration, branches)) return { type: "none", configurations: seen.size };
  }
}

/** Goes back to the last branch with a choice that may lead on, and takes it; false: there is none. */
function nextChoice(configuration: Configuration, branches: Branch[]): boolean {
  for (let branch = branches.at(-1); branch !== undefined; branch = branches.at(-1)) {
    const choice = branch.choices[branch.next++];
    configuration.giveBack(branch.length);
    if (choice === undefined) branches.pop();
    else if (mayLeadOn(configuration, choice)) return true;
  }
  return false;
}

function takeObservers(configuration: Configuration): void {
  for (;;) {
    const { known } = configuration.candidates();
    const observers = known.filter(
      ({ requires, effect }) => effect.type === "none" && requires === configuration.state,
    );
    if (observers.length === 0) return;
    for (const step of observers) configuration.take(step);
  }
}

function choicesOf(configuration: Configuration): Choice[] {
  const { state } = configuration;
  const candidates = configuration.candidates();
  const byReturn = [...candidates.known].sort((a, b) => a.returnedAt - b.returnedAt);
  const choices: Choice[] = [];
  const twins = new Set<string>();
  for (const step of byReturn) {
    const fits = step.requires === undefined || step.requires === state;
    if (!fits || twins.has(step.twins)) continue;
    twins.add(step.twins);
    const isUrgent = step === byReturn[0] || !isBlindAddition(step);
    const isTimely = isUrgent || helps(step, configuration, candidates);
    if (isTimely && !isHidden(configuration, step)) choices.push(step);
  }
  const helpful = candidates.unknown.filter(
    (step) => !twins.has(step.twins) && helps(step, configuration, candidates),
  );
  choices.push(...helpful);
  if (candidates.known.some((step) => isHidden(configuration, step))) choices.push("hidden");
  return choices;
}

/** Takes it; false when the state that it leaves will be missed. */
function mayLeadOn(configuration: Configuration, choice: Choice): boolean {
  const before = configuration.state;
  if (choice === "hidden" || overwrites(choice)) takeHidden(configuration);
  if (choice !== "hidden") configuration.take(choice);
  return !configuration.isPast(before);
}

function takeHidden(configuration: Configuration): void {
  for (;;) {
    const { known } = configuration.candidates();
    const hidden = known.filter((step) => isHidden(configuration, step));
    if (hidden.length === 0) return;
    for (const step of hidden) configuration.take(step);
  }
}

function isBlindAddition({ requires, effect }: Step): boolean {
  return requires === undefined && effect.type === "add";
}

/** Whatever was before it is gone. */
function overwrites({ requires, effect }: Step): boolean {
  return requires === undefined && effect.type === "set";
}

function isHidden(configuration: Configuration, { requires, effect }: Step): boolean {
  return requires === undefined && effect.type === "set" && !configuration.isWanted(effect.to);
}

/** A step towards a state that a candidate requires. */
function helps({ effect }: Step, { state }: Configuration, { known }: Candidates): boolean {
  return known.some(({ requires }) => {
    if (requires === undefined || requires === state) return false;
    if (effect.type === "set") return effect.to === requires;
    return effect.type === "add" && (Number(requires) - Number(state)) * effect.by > 0;
  });
}
