/**
 * Random histories for the laws: a few replicas, each with its own writer, take turns and exchange
 * what they have in every way there is: whole copies, or commits, encoded or not, in any order and
 * more than once.
 */
import fc from "fast-check";
import { crdt } from "../../src/definition/kinds.ts";
import type { StateCommit } from "../../src/state/commit.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";

export const shape = {
  counter: crdt.counter(),
  most: crdt.max(),
  least: crdt.min(),
  register: crdt.register("first"),
  flag: crdt.flag(),
  stop: crdt.flag({ wins: "disable" }),
  tags: crdt.set<string>(),
  settings: crdt.map<number>(),
  lines: crdt.map(crdt.counter()),
  groups: crdt.map(crdt.set<number>()),
  deep: crdt.map(crdt.map(crdt.counter())),
  text: crdt.text(),
};

export const name = "thing/one";
/** 53-bit ids, one of them below, one that differs from it by 2^32 only. */
export const writers = [5, 5 + 2 ** 32, Number.MAX_SAFE_INTEGER - 1] as const;

export type TurnDraft = Draft<typeof shape>;

export interface Step {
  readonly type: "turn" | "merge" | "deliver";
  readonly replica: number;
  readonly other: number;
  readonly changes: readonly Change[];
  readonly order: number;
}

export interface Change {
  readonly what: number;
  readonly key: number;
  readonly value: number;
}

/**
 * Indexes into `actions`. A history keeps to one group, or what is rare in all of them (a removal
 * that is concurrent with what it removes, on the same key) would hardly ever happen.
 */
const groups: readonly (readonly number[])[] = [
  Array.from({ length: 25 }, (_, index) => index),
  [12, 12, 12, 13, 14, 15],
  [19, 19, 20, 12, 14],
  [7, 7, 8, 9, 10, 11, 16, 17, 18],
  [3, 4, 5, 6, 1, 2, 22],
  [23],
  [24, 24, 22],
  [21],
  [25, 25, 25, 22],
];

const value = fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(0.1, 0.2, 0.7));

function stepsOf(group: readonly number[]): fc.Arbitrary<Step[]> {
  const change = fc.record({ what: fc.constantFrom(...group), key: fc.nat(2), value });
  const type: fc.Arbitrary<Step["type"]> = fc.constantFrom(
    "turn",
    "turn",
    "turn",
    "merge",
    "deliver",
  );
  return fc.array(
    fc.record({
      type,
      replica: fc.nat(2),
      other: fc.nat(2),
      changes: fc.array(change, { minLength: 1, maxLength: 4 }),
      order: fc.nat(),
    }),
    { minLength: 3, maxLength: 26 },
  );
}

export const steps: fc.Arbitrary<Step[]> = fc.constantFrom(...groups).chain(stepsOf);

export interface History {
  readonly replicas: readonly Entity[];
  readonly commits: readonly StateCommit[];
}

/** Plays the steps and returns the replicas, which differ as a rule, and all commits. */
export function play(script: readonly Step[]): History {
  const replicas = writers.map(() => Entity.create(name));
  const commits: StateCommit[] = [];
  let time = 1_000;
  for (const step of script) {
    const entity = replicas[step.replica]!;
    const other = replicas[step.other]!;
    if (step.type === "merge") {
      entity.merge(other);
    } else if (step.type === "deliver") {
      const known = commits.filter((commit) => other.includes(commit.writer, commit.sequence));
      for (const commit of shuffled(known, step.order)) entity.apply(onTheWire(commit));
    } else {
      time += 1 + (step.order % 3);
      const commit = turn(entity, writers[step.replica]!, time, (draft) => {
        for (const each of step.changes) perform(draft, entity, each);
      });
      if (commit !== undefined) commits.push(commit);
    }
  }
  return { replicas, commits };
}

/** Runs a turn and applies its commit. */
export function turn(
  entity: Entity,
  writer: number,
  hybridTime: number,
  run: (draft: TurnDraft) => void,
): StateCommit | undefined {
  const draft = new Draft({ entity, shape, writer, hybridTime });
  run(draft);
  const commit = draft.finish();
  if (commit !== undefined) entity.apply(commit);
  return commit;
}

/** A commit as another process gets it. */
export function onTheWire(commit: StateCommit): {
  entity: string;
  writer: number;
  sequence: number;
  delta: Uint8Array;
} {
  const { entity, writer, sequence, delta } = commit;
  return { entity, writer, sequence, delta: delta.slice() };
}

/** A permutation that depends on `order` only. */
export function shuffled<T>(items: readonly T[], order: number): T[] {
  const result = items.slice();
  let state = order + 1;
  for (let index = result.length - 1; index > 0; index -= 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const other = state % (index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

type Action = (draft: TurnDraft, entity: Entity, change: { key: string; value: number }) => void;

const actions: readonly Action[] = [
  (draft, _entity, { value }) => draft.live.counter.add(value),
  (draft, _entity, { value }) => draft.live.most.observe(value),
  (draft, _entity, { value }) => draft.live.least.observe(value),
  (draft, _entity, { key }) => draft.live.register.set(key),
  (draft) => draft.live.flag.enable(),
  (draft) => draft.live.flag.disable(),
  (draft, _entity, { value }) => (value > 3 ? draft.live.stop.enable() : draft.live.stop.disable()),
  (draft, _entity, { key }) => draft.live.tags.add(key),
  (draft, _entity, { key }) => draft.live.tags.delete(key),
  (draft) => draft.live.tags.clear(),
  (draft, _entity, { key, value }) => draft.live.settings.set(key, value),
  (draft, _entity, { key }) => draft.live.settings.delete(key),
  (draft, _entity, { key, value }) => draft.live.lines.at(key).add(value),
  (draft, _entity, { key, value }) => draft.live.lines.at(key).add(value),
  (draft, _entity, { key }) => draft.live.lines.delete(key),
  (draft) => draft.live.lines.clear(),
  (draft, _entity, { key, value }) => draft.live.groups.at(key).add(value),
  (draft, _entity, { key, value }) => draft.live.groups.at(key).delete(value),
  (draft, _entity, { key }) => draft.live.groups.delete(key),
  (draft, _entity, { key, value }) => draft.live.deep.at(key).at("x").add(value),
  (draft, _entity, { key, value }) =>
    value > 5 ? draft.live.deep.clear() : draft.live.deep.delete(key),
  (draft, _entity, { key, value }) => {
    const { text } = draft.live;
    if (value > 4 && text.length > 0) text.delete(0, 1);
    else text.insert(Math.floor(text.length / 2), key);
  },
  (draft, _entity, { value }) => {
    if (value === 7) draft.delete();
    else draft.expireAt = 1 + Math.abs(Math.round(value));
  },
  (draft, entity, { key, value }) => {
    const number = entity.sequenceOf(5) + 1;
    const received = Math.max(1, number - (value > 3 ? 0 : 2));
    if (entity.dedupe.lookup(key, number, received).type !== "new") return;
    const outcome = { type: "ok", value: Uint8Array.of(number) } as const;
    try {
      draft.recordResult({ caller: key, number, received, digest: 1, outcome });
    } catch {
      draft.forgetCaller(key);
    }
  },
  (draft, entity, { key, value }) => {
    const [first] = entity.outbox.entries;
    const failed = entity.outbox.failed.at(-1);
    const sent = { functionName: "f", key, operation: "run", input: Uint8Array.of(1) };
    // Some have a trace: which ones is told by what they are sent with, as all of a history is.
    const target = value > 1 ? { ...sent, trace } : sent;
    if (failed !== undefined && value === 8) draft.discardFailed(failed);
    else if (failed !== undefined && value === 9) draft.resendFailed(failed);
    else if (first === undefined || value < 3) draft.send(target);
    else if (value < 6) draft.confirmSent([first]);
    else draft.failSent(first, { code: "not_found", message: "no such thing" });
  },
  (draft, entity, { key, value }) => {
    const due = entity.timers[0];
    const every = value > 2 ? 5 : undefined;
    const timer = {
      id: key,
      operation: "run",
      at: Math.abs(value),
      every,
      input: Uint8Array.of(1),
    };
    if (value < 4 || due === undefined) draft.timers.set(timer);
    else if (value < 7) draft.timers.cancel(key);
    else draft.timers.take(due, due.at + value);
  },
];

/** @param what of `actions` */
export function perform(draft: TurnDraft, entity: Entity, { what, key, value }: Change): void {
  actions[what]!(draft, entity, { key: "abc"[key]!, value });
}
