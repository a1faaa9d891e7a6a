/**
 * What must hold in every simulated run, by name. M: membership, P: the promises of replication and
 * placement, C: state and calls, L: liveness, B: bounds. A failure names one of these; anything else
 * that goes wrong (an exception out of the node's code) is reported as what it is.
 */
export const invariants = {
  M1: "a node's own incarnation never falls",
  M2: "after the faults stop all views are equal within 60 s",
  M3: "no node is declared dead while neither it nor the network is at fault",
  P1: "an acknowledged call stays",
  P2: "a call takes effect at most once, unless its caller agreed to degraded service",
  P3: "after the faults stop the cluster comes to rest, and terms do not chase each other",
  P4: "no call takes more than 3 hops, and 1 when its caller's table is current",
  P5: "what a query, a watcher or a reply showed stays",
  P6: "what was answered as not run took no effect",
  P7: "what a process knew to be committed stays",
  P8: "a partition never has fewer owners while it only moves",
  C1: "at rest all owners hold equal state",
  C2: "a counter is the sum of the calls that took effect",
  C3: "a sent call takes effect exactly as often as its sender's turn",
  C4: "what a handler asked for took effect if the handler did, and once",
  C5: "a call sees every call that was acknowledged before it was sent",
  C6: "what was removed does not come back",
  C7: "every call settles",
  C8: "a watcher ends up with the final state",
  C9: "no clock and no stamp is far off the true time, however wall clocks are set",
  C10: "no write of a register loses to one that was answered before it was sent",
  C11: "what was deleted does not come back",
  C12: "what was written after the last delete stays",
  C13: "a timer takes effect once, and not at all once it was cancelled or replaced",
  C14: "a session reads its own writes, and is not served degraded",
  C15: "a session is never shown anything older than it was shown",
  C16: "a linearizable read sees every call that was answered before it was sent",
  C17: "a read of a majority of the owners sees every call that was answered before it was sent",
  C18: "what a function without state asks for takes effect once, if its call was answered",
  C19: "every stage of a chain takes effect once, and none before the one in front of it",
  L1: "after the faults stop every call succeeds within 30 s",
  L2: "after the faults stop calls that ask each other are answered within 10 s",
  B1: "every queue stays within its bound",
  B2: "no node reports a defect of its own",
  B3: "nodes do not answer each other without end",
} as const;

/** Clocks of healthy nodes are not further apart: an answer after 2 s may be off by half of that. */
export const clockToleranceMs = 1_000;

export type InvariantName = keyof typeof invariants;

export interface Violation {
  readonly invariant: InvariantName;
  /** What was found: names, numbers, times. */
  readonly detail: string;
}

/** Collects violations; the first of a kind says enough, so the number kept is bounded. */
export class Violations {
  readonly found: Violation[] = [];
  /** How often each invariant was looked at, so that a run can say what it exercised. */
  readonly checked = new Map<InvariantName, number>();

  check(invariant: InvariantName, holds: boolean, detail: () => string): void {
    this.checked.set(invariant, (this.checked.get(invariant) ?? 0) + 1);
    if (!holds && this.found.length < violationsMax) {
      this.found.push({ invariant, detail: detail() });
    }
  }
}

const violationsMax = 20;
