/**
 * Flap damping: a node that crashes again and again takes no partitions for a while after it came
 * back, because each of its comebacks would copy its share to it, and each of its deaths away again.
 *
 *   crash ─▶ started again: restarts + 1 ─▶ restarts < flapCountMin: placed at once
 *                                         └▶ else resting ── restMs ──▶ placed ── flapMemoryMs ──▶ restarts 0
 *
 * Nodes that disagree about who is placed hand partitions back and forth, so the member itself says
 * whether it rests, in statements like any other. A new process knows nothing of its earlier lives:
 * whoever has a record of the life before counts on from it, holds the new life so until that has
 * spoken, and tells it. The member takes the highest count of those that it hears in the beginning.
 */
import type { MemberUpdate } from "../wire/membership-messages.ts";
import { isFinal, type Member } from "./member.ts";
import type { MembershipSettings } from "./settings.ts";
import { restartsMax } from "./soundness.ts";

/** After it met somebody for the first time a member is told by all, within this time. */
const learnMs = 2_000;

export type RestSettings = Pick<
  MembershipSettings,
  "flapCountMin" | "flapRestMs" | "flapRestMsMax" | "flapMemoryMs"
>;

/** What a member says of itself. */
export type RestState = Pick<Member, "restarts" | "resting">;

/** How long a node rests that was started so often lately; 0: not at all. */
export function restMs(restarts: number, settings: RestSettings): number {
  const { flapCountMin, flapRestMs, flapRestMsMax } = settings;
  if (restarts < flapCountMin) return 0;
  return Math.min(flapRestMsMax, flapRestMs * 2 ** (restarts - flapCountMin));
}

/**
 * The count of a life that follows on the one in this record. A life that went in order, was about to,
 * or was given up by an operator is followed by one that somebody wanted.
 */
export function restartsAfter(
  ended: Pick<Member, "status" | "leaving" | "statusAt" | "restarts">,
  now: number,
  { flapMemoryMs }: Pick<RestSettings, "flapMemoryMs">,
): number {
  const { status, leaving, statusAt, restarts } = ended;
  // Held alive or suspect, it has ended just now.
  const isForgotten = status === "dead" && now - statusAt >= flapMemoryMs;
  if (leaving || isFinal(status) || isForgotten) return 0;
  return Math.min(restartsMax, restarts + 1);
}

/**
 * A statement about a new life that has not said anything yet but that it lives, with what is recorded
 * of the life before.
 */
export function counted(
  statement: MemberUpdate,
  known: Member | undefined,
  now: number,
  settings: RestSettings,
): MemberUpdate {
  const isFirst = known !== undefined && statement.boot > known.boot && statement.refutations === 0;
  const restarts = isFirst ? restartsAfter(known, now, settings) : 0;
  if (restarts <= statement.restarts) return statement;
  return { ...statement, restarts, resting: restMs(restarts, settings) > 0 };
}

export function sameRest(a: RestState, b: RestState): boolean {
  return a.restarts === b.restarts && a.resting === b.resting;
}

/** What this process has to say of itself. */
export class Rest {
  readonly #settings: RestSettings;
  readonly #startedAt: number;
  #learnsUntil = Infinity;
  #restarts = 0;

  constructor(settings: RestSettings, startedAt: number) {
    this.#settings = settings;
    this.#startedAt = startedAt;
  }

  /** Another member was met. */
  meet(now: number): void {
    this.#learnsUntil = Math.min(this.#learnsUntil, now + learnMs);
  }

  /** Somebody counts so many restarts. */
  learn(restarts: number, now: number): void {
    if (now <= this.#learnsUntil) this.#restarts = Math.max(this.#restarts, restarts);
  }

  at(now: number): RestState {
    const upMs = now - this.#startedAt;
    const restarts = upMs >= this.#settings.flapMemoryMs ? 0 : this.#restarts;
    return { restarts, resting: upMs < restMs(restarts, this.#settings) };
  }

  /** When something else is to be said than `said`; Infinity for never. */
  dueAt({ restarts, resting }: RestState): number {
    const { flapMemoryMs } = this.#settings;
    const memoryMs = restarts === 0 ? Infinity : flapMemoryMs;
    const endsAfterMs = resting ? Math.min(restMs(restarts, this.#settings), memoryMs) : memoryMs;
    return this.#startedAt + endsAfterMs;
  }
}
