/**
 * Entities that are deleted and begun again while a walk goes on, and reaped: marks are made on them
 * and wiped. Each is tried once, by nobody who waits for it: what matters is what stays, and what is
 * back.
 */
import type { ReplicationEffect } from "../../../src/replication/effect.ts";
import type { Replica } from "../../../src/replication/replica.ts";
import type { Commit } from "../../../src/wire/replication-messages.ts";
import type { CommitSet } from "./commit-set.ts";
import { commitThat, idOf } from "./commit-set.ts";

const names = ["g/0", "g/1"];
export const isSlate = (name: string): boolean => names.includes(name);

/** Where they are (`world.ts`). */
interface Surroundings {
  readonly now: number;
  readonly random: () => number;
  readonly log: ((line: string) => void) | undefined;
  process(i: number): {
    readonly id: string;
    readonly up: boolean;
    readonly paused: boolean;
    readonly replica: Replica<CommitSet>;
  };
  perform(i: number, effects: readonly ReplicationEffect[]): void;
  commitAt(i: number, tip: CommitSet, commit: Commit, waiter: StrokeWaiter): void;
}

interface StrokeWaiter {
  readonly acks: number;
  readonly deadlineAt: number;
  readonly token: { readonly type: "stroke"; readonly stroke: Stroke };
}

/** One mark or wipe that was run. */
export interface Stroke {
  readonly entity: string;
  readonly says: string;
  /** Of its commit: odd for a wipe, which ended the life before it. */
  readonly mark: number;
  /** A majority holds it. */
  isAcknowledged: boolean;
}

export class Slates {
  readonly strokes: Stroke[] = [];
  /** Begun by a fork that held none: whoever deleted one of that name did not mean this one. */
  readonly #apart = new Set<string>();
  /** Names of the commits so far. */
  readonly #ids = new Set<string>();
  #usedTwice: string | undefined;
  reapedCount = 0;
  refusedCount = 0;

  /** Marks or wipes one of them at process `i`, if that serves. */
  stroke(world: Surroundings, i: number): boolean {
    const { up, paused, replica } = world.process(i);
    if (!up || paused || replica.serving === undefined) return false;
    const entity = names[Math.floor(world.random() * names.length)]!;
    const tip = replica.tip(entity, true)!;
    const wipes = world.random() < 0.4;
    const isDead = tip.mark % 2 === 1;
    if (wipes && (isDead || tip.commits.size === 0)) return false;
    const mark = tip.mark + (wipes || isDead ? 1 : 0);
    const says = `${wipes ? "wipe" : "mark"} ${String(this.strokes.length)}`;
    if (replica.serving === "degraded" && !replica.committedEntity(entity)) this.#apart.add(entity);
    const stroke: Stroke = { entity, says, mark, isAcknowledged: false };
    this.strokes.push(stroke);
    const commit = commitThat(says, entity, nextId(replica, tip), mark);
    const id = `${entity} ${idOf(commit)}`;
    if (this.#ids.has(id)) this.#usedTwice ??= id;
    this.#ids.add(id);
    world.log?.(`${world.process(i).id}: ${says} of ${entity}, ${String(mark)}`);
    world.commitAt(i, tip, commit, {
      acks: 2,
      token: { type: "stroke", stroke },
      deadlineAt: Infinity,
    });
    return true;
  }

  /** A primary forgets what is deleted: no grace, for time means nothing here. */
  reap(world: Surroundings, i: number): boolean {
    const { id, up, paused, replica } = world.process(i);
    if (!up || paused || replica.role !== "primary") return false;
    const effects = replica.reap(0, () => false, world.now);
    if (effects.length === 0) return false;
    this.reapedCount++;
    world.log?.(`${id} reaps`);
    world.perform(i, effects);
    return true;
  }

  /** What is wrong with the final state of them, as the primary has it. */
  problem(entityOf: (name: string) => CommitSet | undefined): string | undefined {
    if (this.#usedTwice !== undefined) return `P9 ${this.#usedTwice} names two commits`;
    for (const name of names) {
      const strokes = this.strokes.filter(({ entity }) => entity === name);
      const ended = Math.max(
        0,
        ...strokes.map(({ mark, isAcknowledged }) => {
          return isAcknowledged && mark % 2 === 1 ? mark : 0;
        }),
      );
      const shown = new Set(entityOf(name)?.commits.values());
      for (const { says, mark } of this.#apart.has(name) ? [] : strokes) {
        if (mark < ended && shown.has(says)) return `P9 ${name} is back with ${says}`;
      }
      const highest = Math.max(0, ...strokes.map(({ mark }) => mark));
      for (const { says, mark, isAcknowledged } of strokes) {
        const isEnded = mark % 2 === 1 || mark < highest;
        if (isAcknowledged && !isEnded && !shown.has(says)) return `P1 ${name} lost ${says}`;
      }
    }
    return undefined;
  }
}

/** As a node numbers: not anew what may have been used on a slate that was reaped. */
export function nextId(
  { writer, usedUp }: { readonly writer: number; readonly usedUp: number },
  tip: CommitSet,
): { readonly writer: number; readonly sequence: number } {
  const last = tip.sequenceOf(writer);
  return { writer, sequence: (last === 0 ? usedUp : last) + 1 };
}
