/**
 * M3: judges whom nodes declare dead. A node that stalled for a short while has said that it lives to
 * everybody who could ask; whoever declares it dead after that, be it right after a stall of its own,
 * has decided before it read what had arrived. Verdicts are taken from what nodes log, because a
 * wrong one is revoked as soon as the next message is read.
 */
import type { NodeId } from "../../model/ids.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { FaultLedger } from "./fault-ledger.ts";
import type { Violations } from "./invariants.ts";

/** A node has declared others dead, or was told so. */
export interface Verdict {
  readonly by: NodeId;
  readonly about: readonly NodeId[];
  /** Virtual time. */
  readonly at: number;
}

/** The network and hosts count as at fault for so long after their last trouble. */
const graceMs = 40_000;
/** The same for a short stall, and for many at a time: after it everything goes on as before. */
const stallGraceMs = 4_000;
/** The premise: few stall at a time. */
const stalledShareMax = 0.25;
/** Two of a small cluster may stall one after the other. */
const stalledMin = 2;

/** Accused, accuser, and one who tells the first of the suspicion and the second of the answer. */
const witnessesMin = 3;

export class VerdictWatch {
  readonly #cluster: SimulatedCluster;
  readonly #ledger: FaultLedger;
  readonly #violations: Violations;
  #manyStalledAt = -Infinity;

  constructor(cluster: SimulatedCluster, ledger: FaultLedger, violations: Violations) {
    this.#cluster = cluster;
    this.#ledger = ledger;
    this.#violations = violations;
  }

  /** Judges what was declared since the last look. */
  look(verdicts: readonly Verdict[]): void {
    const lives = [...this.#cluster.lives.values()];
    const stalled = lives.filter(({ state }) => state === "paused").length;
    const most = Math.max(stalledMin, lives.length * stalledShareMax);
    if (stalled > most) this.#manyStalledAt = this.#cluster.time.now;
    for (const { by, about, at } of verdicts) {
      for (const id of about) {
        const isWrong = this.#isHealthy(id, at) && this.#isBeyondDoubt(by, at);
        this.#violations.check("M3", !isWrong, () => {
          return `${by} declared ${id} dead at ${at.toFixed(0)}`;
        });
      }
    }
    this.#violations.check("M3", true, () => "");
  }

  /** Whoever accuses may have stalled for as long as it likes: that is no excuse. */
  #isBeyondDoubt(id: NodeId, at: number): boolean {
    const { hostTroubleAt, networkTroubleAt } = this.#ledger;
    const troubledAt = Math.max(hostTroubleAt.get(id) ?? -Infinity, networkTroubleAt);
    return at - troubledAt > graceMs && at - this.#manyStalledAt > stallGraceMs;
  }

  #isHealthy(id: NodeId, at: number): boolean {
    const { longStallAt, shortStallAt } = this.#ledger;
    const isHeard = this.#cluster.running().length >= witnessesMin;
    return (
      this.#cluster.lives.get(id)?.state === "up" &&
      this.#isBeyondDoubt(id, at) &&
      at - (longStallAt.get(id) ?? -Infinity) > graceMs &&
      at - (shortStallAt.get(id) ?? -Infinity) > (isHeard ? stallGraceMs : graceMs)
    );
  }
}
