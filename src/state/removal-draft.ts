/** Makes the operation that removes what a turn sees at a place. */
import { runsOf } from "./counter-run.ts";
import type { StateNode } from "./dict-node.ts";
import type { Floor, Path, RemoveOperation } from "./operation.ts";
import type { Scope } from "./scope.ts";
import { seenByAll } from "./seen.ts";

export function removalAt(scope: Scope, path: Path, node: StateNode): RemoveOperation {
  const seen = seenByAll(scope.entity.context, scope.writer);
  const floors: Floor[] = [];
  // What this writer has added itself ends with its own delete; only others' runs need floors.
  if (seen.length > 0) collectFloors(scope, path, node, floors);
  return { type: "remove", path, seen, floors };
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
