/** Judges calls of functions without state by what they asked for. */
import type { FinalState, RelayRecord } from "./history.ts";
import type { Violations } from "./invariants.ts";
import { askedId, type SimulatedFunctionName } from "./simulated-functions.ts";

export interface RelayCourt {
  readonly final: FinalState;
  /** Whether all that callers of this function meet is decided by a majority. */
  readonly isStrict: (name: SimulatedFunctionName) => boolean;
  readonly isLossy: boolean;
  readonly violations: Violations;
}

/** C7 and C18. */
export function judgeRelays(records: readonly RelayRecord[], court: RelayCourt): void {
  const { final, isStrict, isLossy, violations } = court;
  for (const { id, target, answer } of records) {
    const [name, key] = target;
    const where = `relay ${id} to ${name}/${key}`;
    violations.check("C7", answer !== undefined, () => `${where} has no answer`);
    if (!isStrict(name)) continue;
    const count = final.get(`${name}/${key}`)?.effects[askedId(id)] ?? 0;
    const isKept = isLossy || answer !== "ok" || count > 0;
    violations.check("C18", count <= 1 && isKept, () => {
      return `${where} was answered ${answer ?? "never"} and took effect ${String(count)} times`;
    });
  }
}
