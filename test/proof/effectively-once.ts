/**
 * `effectively-once`: increments over a thousand keys in real node processes, one of which is killed
 * whenever the cluster is fully replicated. The load comes in lots, each over when so many calls are
 * and as fast as they are answered; a kill falls into the middle of each.
 *
 *   whole ─▶ a lot begins ─▶ half of it is over ─▶ SIGKILL ─▶ restarted, whole ─▶ its end ─▶ the next
 *
 * Protected calls add to some keys: in the end each of these holds exactly what was acknowledged, and
 * everything was. Unprotected ones add to others: their client repeats nothing that may have run, so
 * that these hold at least what was acknowledged and at most what is indeterminate besides. Calls that
 * their handler refuses, after it has added, go to all of them. And some calls are made again after the
 * kill, under the idempotency key under which they were answered before it: they add nothing either.
 *
 * Control: what is asked of the dedupe tables is never found, so that what is repeated runs again.
 */
import { Plant } from "../support/plant.ts";
import { smokeCluster } from "../support/real-cluster.ts";
import { atLeast, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import type { Lot } from "./tally-messages.ts";
import { TallyRun, type TallyEnd, type TallyScale } from "./tally-run.ts";
import { exactness, missing, tallyCounts } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale extends TallyScale {
  readonly kills: number;
  /** Of each kill. */
  readonly lot: Lot;
  readonly wholeTimeoutMs: number;
}

const { increments, keys, killsMin, nodes } = targets.effectivelyOnce;
const full: Scale = {
  nodes,
  entities: keys + 200,
  carelessFrom: keys,
  kills: killsMin,
  lot: { calls: increments / killsMin, careless: 2_000, refusals: 500, repeats: 200 },
  timeoutMs: 90_000,
  wholeTimeoutMs: 60_000,
  restTimeoutMs: 60_000,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  entities: 400,
  carelessFrom: 300,
  kills: 1,
  lot: { calls: 2_000, careless: 400, refusals: 100, repeats: 50 },
  timeoutMs: 60_000,
  wholeTimeoutMs: 60_000,
  restTimeoutMs: 60_000,
};

/** So that every kill meets calls of both kinds under way, however fast they are answered. */
const burst = { calls: 64, isProtected: true, careless: 32 };

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const plant = control ? forgetfulPlant() : undefined;
  const tallies = await TallyRun.start(scale, { root: plant?.root, say });
  try {
    for (let n = 0; n < scale.kills; n++) await killWithinLot(tallies, scale, say);
    return verdictOf(await tallies.finish(), scale);
  } finally {
    await tallies.close();
    plant?.remove();
  }
}

function forgetfulPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/functions/turn-runner.ts",
    "const known = dedupe.lookup(caller, number, received);",
    'const known = { type: "new" };',
  );
  return plant;
}

async function killWithinLot(
  tallies: TallyRun,
  { lot, wholeTimeoutMs }: Scale,
  say: ProofOptions["say"],
): Promise<void> {
  const { cluster, generator } = tallies;
  const led = (await cluster.statuses()).map(({ primaries }) => primaries.length);
  const index = led.indexOf(Math.max(...led));
  await generator.beginLot(lot);
  const victim = cluster.nodes[index]!;
  const kill = await tallies.disturb(victim, "SIGKILL", burst);
  await victim.ended;
  const restarted = await cluster.restart(index);
  tallies.isBack(kill);
  const replicatedMs = await tallies.untilWhole(kill.at, wholeTimeoutMs);
  await generator.endLot();
  say(
    `SIGKILL of ${kill.node} (pid ${kill.pid}, led ${kill.led.length}): all copies after ` +
      `${replicatedMs.toFixed(0)} ms, again in pid ${restarted.pid}; the lot is over`,
  );
}

function verdictOf(end: TallyEnd, { kills, lot }: Scale): Verdict {
  const { judgement, counters, disturbances, records } = end;
  const { protectedCalls, protectedFailures, counts, faults } = judgement;
  const some = (name: string): boolean => (counts[name] ?? 0) > 0;
  const carelessUnknown = judgement.disturbances.map((one) => one.carelessIndeterminate);
  return {
    counts: {
      ...tallyCounts(end),
      "unprotected calls in flight at kills": sumOf(judgement.disturbances.map((d) => d.careless)),
      "of them indeterminate": sumOf(carelessUnknown),
    },
    figures: [
      atLeast("kills", disturbances.length, kills),
      atLeast(
        "protected increments acknowledged",
        protectedCalls - protectedFailures,
        kills * lot.calls,
      ),
      none("protected increments that were not acknowledged", protectedFailures),
      ...exactness(end),
    ],
    provedNothing: missing([
      ["no call was in flight at a kill", judgement.disturbances.every((d) => d.inFlight > 0)],
      ["a killed node led nothing", disturbances.every(({ led }) => led.length > 0)],
      ["nobody took over", counters.takeovers > 0],
      [
        "no call was repeated that had taken effect",
        counters.dedupeHits > 0 || (faults["writes counted twice (fresh client)"] ?? 0) > 0,
      ],
      ["the outcome of no unprotected call was unknown", sumOf(carelessUnknown) > 0],
      ["no handler refused a call", some("refused by their handler")],
    ]),
    records,
  };
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

export const proof: Proof = {
  control: "what is asked of the dedupe tables is never found: what is repeated runs again",
  run,
};
