/**
 * Retirement: every reign of a primary numbers its commits with a writer id of its own, so an entity
 * that lives long would name ever more of them. Those of ended terms are taken out by a later one, in
 * a commit that it makes anyway, so that all owners do it at the same place of the stream.
 */
import type { WriterId } from "../model/ids.ts";
import { isTermWriter } from "../model/writer.ts";
import type { CausalVector } from "./causal-vector.ts";
import { foldRuns } from "./counter-run.ts";
import type { Folding } from "./counter-run.ts";
import { DictNode } from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";
import { LayeredMap } from "./layered-map.ts";
import type { RetireOperation } from "./operation.ts";
import type { Owner } from "./owner.ts";

/** Ended terms that an entity names before they are retired. */
export const retireAtDefault = 32;

/** What retires the ended terms, if there are `retireAt` of them and `writer` is a term's. */
export function retirementBy(
  writer: WriterId,
  context: CausalVector,
  retireAt: number,
): RetireOperation | undefined {
  if (!isTermWriter(writer) || context.past?.stays === true) return undefined;
  const writers: WriterId[] = [];
  const { pairs } = context;
  for (let index = 0; index < pairs.length; index += 2) {
    const other = pairs[index]!;
    if (other !== writer && isTermWriter(other)) writers.push(other);
  }
  return writers.length < Math.max(1, retireAt) ? undefined : { type: "retire", writers };
}

/**
 * Folds the counters at and below a node.
 *
 * @param owner of the dicts that change
 * @returns the node itself when there is nothing to fold, `undefined` when nothing is left
 */
export function foldNode(node: StateNode, folding: Folding, owner: Owner): StateNode | undefined {
  if (node.type === "cell") return node;
  if (node.type === "counter") return foldRuns(node, folding);
  const children = new Map<string, StateNode>();
  let isSame = true;
  for (const [key, child] of node.children) {
    const kept = foldNode(child, folding, owner);
    if (kept !== child) isSame = false;
    if (kept !== undefined) children.set(key, kept);
  }
  if (isSame) return node;
  return children.size === 0 ? undefined : new DictNode(owner, new LayeredMap(children));
}
