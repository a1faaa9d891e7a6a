/** Makes the operation that removes what a turn sees at a place. */
import { entriesOf } from "./cell-entry.ts";
import { runsOf } from "./counter-run.ts";
import type { CausalVector } from "./causal-vector.ts";
import { isPresent } from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";
import type { Floor, Path, RemoveOperation } from "./operation.ts";
import type { WriterId } from "../model/ids.ts";
import type { Scope } from "./scope.ts";
import { seenByAll } from "./seen.ts";
import type { Seen } from "./seen.ts";

/**
 * `undefined` where there is nothing that a removal could take: what is left of a deleted counter until its
 * term is retired, say.
 */
export function removalAt(
  scope: Scope,
  path: Path,
  node: StateNode | undefined,
): RemoveOperation | undefined {
  if (node === undefined || !isPresent(node)) return undefined;
  const { context } = scope.entity;
  const known = seenByAll(context, scope.writer);
  const seen = context.hasRetired ? [...known, ...seenOfRetired(context, node)] : known;
  const floors: Floor[] = [];
  // What this writer has added itself ends with its own delete; only others' runs need floors.
  if (seen.length > 0) collectFloors(scope, path, node, floors);
  return { type: "remove", path, seen, floors };
}

/** What retired writers left in cells: these are in no vector, and no counter names them. */
function seenOfRetired(context: CausalVector, node: StateNode): Seen {
  const latest = new Map<WriterId, number>();
  collectRetired(context, node, latest);
  return [...latest].flat();
}

function collectRetired(
  context: CausalVector,
  node: StateNode,
  latest: Map<WriterId, number>,
): void {
  if (node.type === "counter") return;
  if (node.type === "dict") {
    for (const child of node.children.values()) collectRetired(context, child, latest);
    return;
  }
  for (const { writer, sequence } of entriesOf(node)) {
    if (context.get(writer) > 0) continue;
    latest.set(writer, Math.max(sequence, latest.get(writer) ?? 0));
  }
}

function collectFloors(scope: Scope, path: Path, node: StateNode, floors: Floor[]): void {
  if (node.type === "cell") return;
  if (node.type === "dict") {
    for (const [key, child] of node.children) collectFloors(scope, [...path, key], child, floors);
    return;
  }
  for (const { writer, first, last, floor, total } of runsOf(node)) {
    if (writer !== scope.writer && last > floor) floors.push({ path, writer, first, total });
  }
}
