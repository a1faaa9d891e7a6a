/**
 * Judges what sessions, linearizable reads and reads of several owners were shown. Effects are only ever added to the entities
 * that they call, so "not older" is "shows all that was shown".
 */
import { majority } from "../../model/acks.ts";
import type { Answer, CallRecord, History } from "./history.ts";
import type { Violations } from "./invariants.ts";

type Shown = CallRecord & { readonly answer: Extract<Answer, { type: "ok" }> };

export function judgeSessions(history: History, violations: Violations): void {
  // What was lost with a majority was seen by somebody.
  if (history.lossy.length > 0) return;
  for (const calls of byEntity(history.calls)) {
    for (const later of calls) {
      if (later.session !== undefined) judgeSession(later, calls, { history, violations });
      if (later.readFrom === "linearizable") judgeFresh("C16", later, calls, violations);
      if (isOfMajority(later, history)) judgeFresh("C17", later, calls, violations);
    }
  }
}

interface Court {
  readonly history: History;
  readonly violations: Violations;
}

/** C14 and C15. */
function judgeSession(later: Shown, calls: readonly Shown[], { history, violations }: Court): void {
  const seen = new Set(later.answer.seen);
  const { degraded } = later.answer;
  violations.check("C14", !degraded, () => `${nameOf(later)} was served degraded`);
  for (const earlier of calls) {
    if (!isPast(earlier, later, history.handedOnAt)) continue;
    if (earlier.operation !== "seen") {
      violations.check("C14", seen.has(earlier.id), () => {
        return `${nameOf(later)} missed ${nameOf(earlier)} of its own session`;
      });
    }
    const gone = earlier.answer.seen.find((id) => !seen.has(id));
    violations.check("C15", gone === undefined, () => {
      return `${nameOf(later)} missed ${gone ?? ""}, which ${nameOf(earlier)} had shown`;
    });
  }
}

/** Whether the later call's session had the answer of the earlier one. */
function isPast(earlier: Shown, later: Shown, handedOnAt: number | undefined): boolean {
  if (earlier.session === undefined || earlier.answer.order > later.sentOrder) return false;
  if (earlier.session === later.session) return true;
  return later.session === "second" && earlier.answer.order <= (handedOnAt ?? 0);
}

function isOfMajority({ readFrom }: Shown, { replicas }: History): boolean {
  return typeof readFrom === "number" && readFrom >= majority(replicas);
}

/** C16 and C17: what was answered, or shown by what leads, before the read was sent. */
function judgeFresh(
  invariant: "C16" | "C17",
  later: Shown,
  calls: readonly Shown[],
  violations: Violations,
): void {
  const seen = new Set(later.answer.seen);
  for (const earlier of calls) {
    if (earlier.answer.degraded || earlier.answer.order > later.sentOrder) continue;
    if (earlier.operation === "seen") continue;
    violations.check(invariant, seen.has(earlier.id), () => {
      return `${nameOf(later)} missed ${nameOf(earlier)}, which was answered before it was sent`;
    });
  }
}

/** Answered calls, but those answered before replication: what they show may go. */
function byEntity(calls: readonly CallRecord[]): Iterable<readonly Shown[]> {
  const found = new Map<string, Shown[]>();
  for (const call of calls) {
    if (call.answer?.type !== "ok" || call.acks === 1) continue;
    const name = `${call.functionName}/${call.key}`;
    const known = found.get(name);
    if (known === undefined) found.set(name, [call as Shown]);
    else known.push(call as Shown);
  }
  return found.values();
}

function nameOf({ id, functionName, key, operation, client, readFrom }: CallRecord): string {
  const where = readFrom === undefined ? "" : ` from ${String(readFrom)}`;
  return `call ${id} (${functionName}/${key} ${operation}${where} by ${client})`;
}
