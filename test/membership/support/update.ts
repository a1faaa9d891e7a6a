import type { MemberUpdate } from "../../../src/wire/membership-messages.ts";

/** A statement about `node`, alive in its first incarnation unless `changes` say otherwise. */
export function update(node: string, changes: Partial<MemberUpdate> = {}): MemberUpdate {
  return {
    node,
    boot: 1024,
    refutations: 0,
    status: "alive",
    leaving: false,
    restarts: 0,
    resting: false,
    address: `ws://${node}`,
    zone: "",
    weight: 1,
    from: node,
    ...changes,
  };
}
