/**
 * `movement`: what moves when a node joins, leaves or is restarted.
 *
 *   The table: of hundreds of clusters with ids drawn by chance, copies that have to be made when one
 *   member comes or goes, over those that it must hold.
 *   The data: simulated clusters with calls, in which every partition has as many complete copies on
 *   its owners at every moment of a join and a departure as before; and a node that is killed and back
 *   within 5 s finds its place kept.
 *
 * Control, in a copy of the sources: what a partition is called on the ring depends on how many members
 * there are, an owner that goes is dropped before its successor is in, and the dead keep their place
 * for a millisecond.
 */
import { Plant } from "../support/plant.ts";
import { liveMoves, type LiveMoves } from "./movement-live.ts";
import { ringMoves, type RingMoves } from "./movement-ring.ts";
import { provePlanted } from "./planted.ts";
import { atMost, none, type Figure, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

const full = { sets: 200, seeds: 30 };
const smoke = { sets: 6, seeds: 1 };

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  if (control) return provePlanted("movement", faultyPlant(), isSmoke);
  const { sets, seeds } = isSmoke ? smoke : full;
  const ring: RingMoves[] = [];
  for (const size of targets.movement.sizes) {
    ring.push(ringMoves(size, sets));
    say(`${size}→${size + 1}: ${sets} clusters`);
  }
  const live: LiveMoves[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    live.push(await liveMoves(seed));
    if (seed % 10 === 0) say(`${seed} of ${seeds} seeds`);
  }
  return verdictOf(ring, live);
}

function faultyPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/ring/candidates.ts",
    "range(`p:${String(partition)}`, this.#count)",
    "range(`p:${String(partition)}:${String(this.#ring.servers?.length)}`, this.#count)",
  );
  plant.change("src/membership/settings.ts", "  reassignDelayMs: 10_000,", "  reassignDelayMs: 1,");
  const ownerChanges = "src/replication/owner-changes.ts";
  plant.change(
    ownerChanges,
    "if (next !== undefined || missing.length > 0 || wanted.length < table.length) return next;",
    "if (next !== undefined && present.length < replicas) return next;",
  );
  plant.change(ownerChanges, "if (!wanted.every(caughtUp)) return undefined;", "");
  return plant;
}

function verdictOf(ring: readonly RingMoves[], live: readonly LiveMoves[]): Verdict {
  const sum = (of: (one: LiveMoves) => number): number =>
    live.reduce((total, one) => total + of(one), 0);
  const counts = Object.assign({}, ...ring.map(countsOf)) as Record<string, number | string>;
  const joined = sum((one) => one.joined);
  const left = sum((one) => one.left);
  const seenDead = sum((one) => one.seenDead);
  return {
    counts: {
      ...counts,
      "simulated clusters": live.length,
      "copies made for a node that joined": joined,
      "copies made for a node that left": left,
      "looks at a partition meanwhile": sum((one) => one.looks),
      "looks at which the killed node was held dead": seenDead,
      "calls meanwhile": sum((one) => one.calls),
    },
    figures: [
      ...ring.flatMap(figuresOf),
      none(
        "looks with fewer complete copies while one joins",
        sum((one) => one.fewer.join),
      ),
      none(
        "looks with fewer complete copies while one leaves",
        sum((one) => one.fewer.leave),
      ),
      none(
        "other tables after a restart within 5 s",
        sum((one) => one.restartTables),
      ),
      none(
        "places taken by others after a restart within 5 s",
        sum((one) => one.restartMoved),
      ),
      none(
        "calls that failed",
        sum((one) => one.failedCalls),
      ),
    ],
    provedNothing: nothing({ joined, left, seenDead }),
    records: [],
  };
}

function nothing({
  joined,
  left,
  seenDead,
}: Readonly<Record<"joined" | "left" | "seenDead", number>>): string | undefined {
  if (joined === 0) return "nothing moved to a node that joined";
  if (left === 0) return "nothing moved when a node left";
  return seenDead === 0 ? "nobody noticed that a node was killed" : undefined;
}

function countsOf({ size, joins, leaves, byRendezvous }: RingMoves): Verdict["counts"] {
  const { timesIdealMax } = targets.movement;
  const above = (ratios: readonly number[]): number =>
    ratios.filter((r) => r > timesIdealMax).length;
  const change = `${size}→${size + 1}`;
  return {
    [`${change}: clusters`]: joins.length,
    [`${change}: most moved, join and leave (× ideal)`]: Math.max(...joins, ...leaves).toFixed(2),
    [`${change}: clusters above the target`]: above(joins.map((r, at) => Math.max(r, leaves[at]!))),
    [`${change}: most by rendezvous hashing (× ideal)`]: Math.max(...byRendezvous).toFixed(2),
    [`${change}: above the target by rendezvous hashing`]: above(byRendezvous),
  };
}

/**
 * The mean of all clusters, and 19 of 20 of them: what falls to a newcomer is a draw, and at 31 members
 * some draws are above the target by any hashing (`movement-ring.ts`). How many, is among the counts.
 */
function figuresOf({ size, joins, leaves }: RingMoves): readonly Figure[] {
  const { timesIdealMax } = targets.movement;
  return [
    ["join", `${size}→${size + 1}`, joins] as const,
    ["leave", `${size + 1}→${size}`, leaves] as const,
  ].flatMap(([what, change, ratios]) => [
    atMost(`moved by a ${what} ${change}, mean (× ideal)`, mean(ratios), timesIdealMax),
    atMost(`moved by a ${what} ${change}, 19 of 20 (× ideal)`, most(ratios), timesIdealMax),
  ]);
}

function mean(values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  return Number((sum / values.length).toFixed(3));
}

function most(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Number((sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Infinity).toFixed(3));
}

export const proof: Proof = {
  control:
    "partitions are renamed with every member, who goes is dropped first, the dead lose their place",
  run,
};
