/**
 * The functions that a simulated workload calls. Every call has an id of its own, and every turn
 * counts how often that id took effect on its entity: exactly what may be lost or doubled can then
 * be read from the final state, call by call.
 */
import { defineFunction } from "../../definition/define-function.ts";
import type { HandlerContext, QueryContext } from "../../definition/contexts.ts";
import type { AnyFunction } from "../../definition/function-definition.ts";
import { crdt, type Shape } from "../../definition/kinds.ts";
import type { WhenSplit } from "../../model/acks.ts";
import type { TimerWish } from "./timer-calls.ts";

/** What `put` and its like return: the ids that the turn saw, its own included. */
export type Seen = readonly string[];

/** The final state of one entity, as `look` shows it. */
export interface Look {
  readonly effects: Readonly<Record<string, number>>;
  readonly count: number;
  readonly tags: readonly string[];
  readonly high: number;
  readonly values: Readonly<Record<string, number>>;
  readonly latest: string;
  readonly text: string;
}

const ledgerState = {
  /** Call id → how often it took effect. */
  effects: crdt.map(crdt.counter()),
  count: crdt.counter(),
  tags: crdt.set<string>(),
  high: crdt.max(),
  values: crdt.map<number>(),
  latest: crdt.register(""),
};
const noteState = { ...ledgerState, text: crdt.text() };

type LedgerState = typeof ledgerState;
type Turn = HandlerContext<LedgerState>;

export const functionNames = ["vault", "ledger", "note", "slate", "board", "desk"] as const;
export type SimulatedFunctionName = (typeof functionNames)[number];

/** What is deleted again and again, judged by rules of its own; a board refuses to serve a split. */
export const slateNames: readonly SimulatedFunctionName[] = ["slate", "board"];

/** The handlers, as untyped calls of other entities name them. */
interface Callee {
  put(input: { readonly id: string }): Promise<unknown>;
  ask(input: AskInput): Promise<unknown>;
}

interface AskInput {
  readonly id: string;
  /** Entities to ask, one inside the other, as (function, key). */
  readonly path: readonly (readonly [SimulatedFunctionName, string])[];
}

/** What the stages of a chain pass on. */
export interface Passed {
  readonly id: string;
  readonly seen?: Seen;
}

interface SendInput {
  readonly id: string;
  readonly to: readonly (readonly [SimulatedFunctionName, string])[];
}

interface RelayInput {
  readonly id: string;
  readonly to: readonly [SimulatedFunctionName, string];
}

type ArmInput = TimerWish & { readonly id: string };

interface RingInput {
  readonly id: string;
  readonly times: number;
}

/** Ids of what a call makes others do. */
export const sentId = (id: string, index: number): string => `${id}>${String(index)}`;
/** Of the next stage of a chain. */
export const passedId = (id: string): string => `${id}|`;
export const askedId = (id: string): string => `${id}?`;
/** What its timer did; one with a period did something each time, by when it was due. */
export const firedId = (id: string, at?: number): string => `${id}!${String(at ?? "")}`;
/** Its timer was cancelled, or another one took its place. */
export const endedId = (id: string): string => `${id}~`;

/** The functions by name, made anew for each run: they name each other. */
export function simulatedFunctions(): Readonly<Record<SimulatedFunctionName, AnyFunction>> {
  const functions: Partial<Record<SimulatedFunctionName, AnyFunction>> = {};
  const find = (name: SimulatedFunctionName): AnyFunction => functions[name]!;
  functions.vault = makeLedger(ledgerState, "refuse", find);
  functions.ledger = makeLedger(ledgerState, "serve", find);
  functions.note = makeLedger(noteState, "serve", find);
  functions.slate = makeSlate("serve", find);
  functions.board = makeSlate("refuse", find);
  functions.desk = makeDesk(find);
  return functions as Record<SimulatedFunctionName, AnyFunction>;
}

function makeLedger<S extends Shape>(
  state: S,
  whenSplit: WhenSplit,
  find: (name: SimulatedFunctionName) => AnyFunction,
): AnyFunction {
  return defineFunction({
    state,
    whenSplit,
    deadlineMs: 20_000,
    handlers: {
      put: (ctx: unknown, { id }: { readonly id: string }) => takeEffect(ctx as Turn, id),
      tag(ctx: unknown, { id }: { readonly id: string }) {
        (ctx as Turn).state.tags.add(id);
        return takeEffect(ctx as Turn, id);
      },
      untag(ctx: unknown, { id, of }: { readonly id: string; readonly of: string }) {
        (ctx as Turn).state.tags.delete(of);
        return takeEffect(ctx as Turn, id);
      },
      send(ctx: unknown, { id, to }: SendInput) {
        const turn = ctx as Turn;
        for (const [index, [name, key]] of to.entries()) {
          const target = turn.send(find(name), key) as unknown as Callee;
          void target.put({ id: sentId(id, index) });
        }
        return takeEffect(turn, id);
      },
      async ask(ctx: unknown, { id, path }: AskInput): Promise<Seen> {
        const turn = ctx as Turn;
        const [next, ...rest] = path;
        if (next !== undefined) {
          const target = turn.get(find(next[0]), next[1]) as unknown as Callee;
          await target.ask({ id: askedId(id), path: rest });
        }
        return takeEffect(turn, id);
      },
      /** A stage of a chain: names the effect of the next one, and passes on what the first one saw. */
      pass(ctx: unknown, { id, seen }: Passed): Passed {
        const own = takeEffect(ctx as Turn, id);
        return { id: passedId(id), seen: seen ?? own };
      },
      async linger(ctx: unknown, { id, ms }: { readonly id: string; readonly ms: number }) {
        await (ctx as Turn).sleep(ms);
        return takeEffect(ctx as Turn, id);
      },
      arm(ctx: unknown, { id, name, inMs, every, times }: ArmInput): Seen {
        const turn = ctx as Turn;
        endTimer(turn, name);
        const when = every > 0 ? { every } : { inMs };
        turn.schedule("ring", name === "" ? when : { ...when, id: name }, { id, times });
        return takeEffect(turn, id);
      },
      disarm(ctx: unknown, { id, name }: ArmInput): Seen {
        endTimer(ctx as Turn, name);
        return takeEffect(ctx as Turn, id);
      },
      ring: (ctx: unknown, input: RingInput) => {
        ring(ctx as Turn, input);
      },
      /** Changes everything, then refuses: nothing may stay. */
      decline(ctx: unknown, { id }: { readonly id: string }): void {
        takeEffect(ctx as Turn, id);
        (ctx as Turn).fail("failed_precondition", "declined");
      },
    },
    queries: {
      seen: (ctx: unknown): Seen => [...(ctx as QueryContext<LedgerState>).state.effects.keys()],
      look: (ctx: unknown) => look(ctx as QueryContext<LedgerState>),
    },
  });
}

/** `look` shows its marks as tags. */
function makeSlate(
  whenSplit: WhenSplit,
  find: (name: SimulatedFunctionName) => AnyFunction,
): AnyFunction {
  return defineFunction({
    state: { marks: crdt.set<string>() },
    whenSplit,
    deadlineMs: 20_000,
    handlers: {
      mark({ state }, { id }: { readonly id: string }): Seen {
        state.marks.add(id);
        return [...state.marks.values()];
      },
      /** A mark that is sent on as well: what was sent outlives the slate. */
      post(ctx, { id, to }: SendInput): Seen {
        for (const [index, [name, key]] of to.entries()) {
          const target = ctx.send(find(name), key) as unknown as Callee;
          void target.put({ id: sentId(id, index) });
        }
        ctx.state.marks.add(id);
        return [...ctx.state.marks.values()];
      },
      wipe(ctx): Seen {
        ctx.delete();
        return [];
      },
      /** Deletes it and begins it anew in one turn. */
      renew(ctx, { id }: { readonly id: string }): Seen {
        ctx.delete();
        ctx.state.marks.add(id);
        return [...ctx.state.marks.values()];
      },
    },
    queries: {
      look: ({ state }) => ({ ...nothing, tags: [...state.marks.values()].sort() }),
    },
  });
}

/** It has no state: whatever node it runs on, it only asks. */
function makeDesk(find: (name: SimulatedFunctionName) => AnyFunction): AnyFunction {
  return defineFunction({
    deadlineMs: 20_000,
    handlers: {
      relay(ctx, { id, to: [name, key] }: RelayInput): Promise<unknown> {
        const target = ctx.get(find(name), key) as unknown as Callee;
        return target.put({ id: askedId(id) });
      },
    },
  });
}

const nothing: Look = {
  effects: {},
  count: 0,
  tags: [],
  high: 0,
  values: {},
  latest: "",
  text: "",
};

/** The timer of this name does not fire any more, if it waits. */
function endTimer({ state, timers, cancelTimer }: Turn, name: string): void {
  const timer = timers().find(({ id }) => id === name);
  if (timer === undefined) return;
  cancelTimer(name);
  countEffect(state, endedId((timer.input as RingInput | undefined)!.id));
}

function ring({ state, caller, cancelTimer }: Turn, { id, times }: RingInput): void {
  if (caller.type !== "timer") return;
  countEffect(state, times === 0 ? firedId(id) : firedId(id, caller.at));
  const firings = [...state.effects.keys()].filter((effect) => effect.startsWith(firedId(id)));
  if (times > 0 && firings.length >= times) cancelTimer(caller.id);
}

function countEffect(state: Turn["state"], id: string): void {
  state.effects.at(id).add(1);
  state.count.add(1);
}

function takeEffect({ state, now }: Turn, id: string): Seen {
  countEffect(state, id);
  state.high.observe(state.count.value);
  state.values.set(`v${String(state.count.value % 5)}`, now());
  state.latest.set(id);
  if ("text" in state) {
    const text = state.text as { readonly length: number; insert(at: number, s: string): void };
    text.insert(text.length, `${id};`);
  }
  return [...state.effects.keys()];
}

function look({ state }: QueryContext<LedgerState>): Look {
  return {
    effects: Object.fromEntries(state.effects.entries()),
    count: state.count.value,
    tags: [...state.tags.values()].sort(),
    high: state.high.value ?? 0,
    values: Object.fromEntries(state.values.entries()),
    latest: state.latest.value,
    text: "text" in state ? String(state.text) : "",
  };
}
