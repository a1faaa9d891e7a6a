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
        const isWrong = this.#isHealthy(id, by, at) && this.#isBeyondDoubt(by, at);
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

  #isHealthy(id: NodeId, by: NodeId, at: number): boolean {
    const { longStallAt, shortStallAt } = this.#ledger;
    const stalledAt = shortStallAt.get(id) ?? -Infinity;
    const isHeard = this.#hasWitness(id, by, stalledAt);
    return (
      this.#cluster.lives.get(id)?.state === "up" &&
      this.#isBeyondDoubt(id, at) &&
      at - (longStallAt.get(id) ?? -Infinity) > graceMs &&
      at - stalledAt > (isHeard ? stallGraceMs : graceMs)
    );
  }

  /**
   * Whether somebody has been there all the time since, who tells the accused of the suspicion and
   * the accuser of the answer: what was sent straight to an accuser that stalls goes with their link.
   * Who came after the accuser had fallen silent was never told of the suspicion.
   */
  #hasWitness(accused: NodeId, accuser: NodeId, stallEndedAt: number): boolean {
    const { longStallAt, shortStallAt, stallBeganAt } = this.#ledger;
    const silentAt = stallBeganAt.get(accuser) ?? Infinity;
    const since = Math.min(Math.max(stallEndedAt, 0), silentAt);
    return [...this.#cluster.lives.values()].some(({ id, state, node, startedAt }) => {
      const stalledAt = Math.max(
        longStallAt.get(id) ?? -Infinity,
        shortStallAt.get(id) ?? -Infinity,
      );
      const isThere = state === "up" && node !== undefined;
      const isOther = id !== accused && id !== accuser;
      return isThere && isOther && Math.max(startedAt, stalledAt) <= since;
    });
  }
}
