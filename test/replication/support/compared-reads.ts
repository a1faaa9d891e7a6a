/**
 * Reads that ask a majority of the owners, one after the other, and show the newest of their answers: they
 * must miss nothing that was answered or read before they began, whatever happens meanwhile.
 */
import { majority } from "../../../src/model/acks.ts";
import type { ProcessId } from "../../../src/model/ids.ts";
import { isNewerMark, type Mark } from "../../../src/model/mark.ts";
import type { Replica } from "../../../src/replication/replica.ts";
import type { CommitSet } from "./commit-set.ts";

/** As much of the world as such reads need. */
interface World {
  readonly random: () => number;
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly seen: ReadonlySet<string>;
  process(i: number): {
    readonly id: ProcessId;
    readonly up: boolean;
    readonly paused: boolean;
    readonly replica: Replica<CommitSet>;
  };
  indexOf(process: ProcessId): number;
}

const openMax = 4;

interface Asked {
  readonly process: ProcessId;
  /** It was reached, and held this then. */
  arrival: { readonly held: Mark | undefined } | undefined;
  answer: { readonly shown: Mark; readonly ids: ReadonlySet<string> } | undefined;
}

interface Read {
  readonly entity: string;
  readonly ownersSetAt: Mark;
  readonly asked: readonly Asked[];
  /** What was answered or read by then. */
  readonly known: readonly string[];
}

export class ComparedReads {
  #open: Read[] = [];
  /** What was not shown. */
  readonly stale: string[] = [];
  doneCount = 0;

  /** Process `i` begins one. */
  begin(world: World, i: number, entity: string): boolean {
    const { up, paused, replica, id } = world.process(i);
    const { ownersSetAt } = replica.reads;
    const isOwner = replica.role !== "absent" && replica.role !== "removed";
    if (!up || paused || !isOwner || ownersSetAt === undefined || this.#open.length >= openMax)
      return false;
    const owners = [...(replica.owners?.processes ?? [])];
    const others = owners.filter((process) => process !== id);
    while (others.length > majority(owners.length) - 1) {
      others.splice(Math.floor(world.random() * others.length), 1);
    }
    const asked = [id, ...others].map((process) => ({
      process,
      arrival: undefined,
      answer: undefined,
    }));
    const known = [...world.acknowledged.keys(), ...world.seen];
    const ofEntity = known.filter((name) => name.startsWith(`${entity} `));
    this.#open.push({ entity, ownersSetAt, asked, known: ofEntity });
    return true;
  }

  /** One owner of one of them is reached, or answers. */
  step(world: World): boolean {
    const at = Math.floor(world.random() * this.#open.length);
    const read = this.#open[at];
    if (read === undefined) return false;
    const waiting = read.asked.filter(({ answer }) => answer === undefined);
    const one = waiting[Math.floor(world.random() * waiting.length)]!;
    const { up, paused, id, replica } = world.process(world.indexOf(one.process));
    const isOver =
      !up || id !== one.process || !isSame(read.ownersSetAt, replica.reads.ownersSetAt);
    if (isOver) {
      this.#open.splice(at, 1);
      return true;
    }
    if (paused) return false;
    if (one.arrival === undefined) {
      one.arrival = { held: replica.reads.held };
      return true;
    }
    const { position = 0, committed = 0 } = replica.progress ?? {};
    const isLed = replica.serving === "primary" && committed > position;
    if (!isLed && !replica.reads.canRead(one.arrival.held)) return false;
    const ids = new Set(replica.committedEntity(read.entity)?.commits.keys() ?? []);
    one.answer = { shown: replica.reads.shown!, ids };
    if (waiting.length === 1) this.#end(at, read);
    return true;
  }

  #end(at: number, { asked, known }: Read): void {
    this.#open.splice(at, 1);
    let newest: Asked["answer"];
    for (const { answer } of asked) {
      if (newest === undefined || isNewerMark(answer!.shown, newest.shown)) newest = answer;
    }
    this.doneCount += 1;
    const missed = known.find(
      (name) => newest?.ids.has(name.slice(name.indexOf(" ") + 1)) !== true,
    );
    if (missed !== undefined) this.stale.push(missed);
  }
}

function isSame(mark: Mark, other: Mark | undefined): boolean {
  return other !== undefined && !isNewerMark(mark, other) && !isNewerMark(other, mark);
}
