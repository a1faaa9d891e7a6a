/**
 * The inner nodes of state: a map from key to what is under it. Keys whose content is empty are
 * not kept, so removing an element leaves nothing behind.
 *
 * Only dicts and counters change in place, and only those that the changing copy owns. A clone shares
 * everything, disowns it on both sides, and each side copies a node when it first changes it.
 */
import { LatticeError } from "../model/error.ts";
import { cellBytes, mergeCells, removeFromCell } from "./cell-entry.ts";
import type { CellEntry } from "./cell-entry.ts";
import type { CausalVector } from "./causal-vector.ts";
import { counterBytes, isCounterPresent, mergeCounters, removeFromCounter } from "./counter-run.ts";
import type { CounterRun } from "./counter-run.ts";
import { LayeredMap } from "./layered-map.ts";
import type { Owner } from "./owner.ts";
import type { Removal } from "./seen.ts";

export type StateNode = CounterRun | CellEntry | DictNode;

export class DictNode {
  readonly type = "dict";
  readonly owner: Owner;
  readonly children: LayeredMap<StateNode>;

  constructor(owner: Owner, children = new LayeredMap<StateNode>()) {
    this.owner = owner;
    this.children = children;
  }

  /** This dict when `owner` may change it, else a copy that it may. */
  ownedBy(owner: Owner): DictNode {
    return this.owner === owner ? this : new DictNode(owner, this.children.fork());
  }
}

/** Estimated encoded bytes of a key in a dict. */
export function keyBytes(key: string): number {
  return key.length + 2;
}

export function nodeBytes(node: StateNode | undefined): number {
  if (node === undefined) return 0;
  switch (node.type) {
    case "counter":
      return counterBytes(node);
    case "cell":
      return cellBytes(node);
    case "dict": {
      let bytes = 0;
      for (const [key, child] of node.children) bytes += keyBytes(key) + nodeBytes(child);
      return bytes;
    }
  }
}

/** Whether readers see anything here; tombstones of counters are not seen. */
export function isPresent(node: StateNode | undefined): boolean {
  if (node === undefined) return false;
  if (node.type === "cell") return true;
  if (node.type === "counter") return isCounterPresent(node);
  for (const child of node.children.values()) {
    if (isPresent(child)) return true;
  }
  return false;
}

/** The node as a leaf of the expected type. @throws LatticeError `incompatible` */
export function asCounter(node: StateNode | undefined): CounterRun | undefined {
  if (node !== undefined && node.type !== "counter") throw mixed("a counter", node);
  return node;
}

export function asCell(node: StateNode | undefined): CellEntry | undefined {
  if (node !== undefined && node.type !== "cell") throw mixed("a cell", node);
  return node;
}

export function asDict(node: StateNode | undefined): DictNode | undefined {
  if (node !== undefined && node.type !== "dict") throw mixed("a dict", node);
  return node;
}

/** Takes away what the remover had seen. @returns `undefined` when nothing is left. */
export function removeFromNode(
  node: StateNode,
  removal: Removal,
  path: readonly string[],
  owner: Owner,
): StateNode | undefined {
  switch (node.type) {
    case "counter":
      return removeFromCounter(node, removal, path);
    case "cell":
      return removeFromCell(node, removal);
    case "dict": {
      const children = new Map<string, StateNode>();
      for (const [key, child] of node.children) {
        const kept = removeFromNode(child, removal, [...path, key], owner);
        if (kept !== undefined) children.set(key, kept);
      }
      return children.size === 0 ? undefined : new DictNode(owner, new LayeredMap(children));
    }
  }
}

/** A copy of a node and the context it lives in. */
export interface NodeCopy {
  readonly node: StateNode | undefined;
  readonly vector: CausalVector;
}

/** Joins two copies of one place. The result owns its dicts. */
export function mergeNodes(a: NodeCopy, b: NodeCopy, owner: Owner): StateNode | undefined {
  const type = a.node?.type ?? b.node?.type;
  switch (type) {
    case undefined:
      return undefined;
    case "counter":
      return mergeCounters(
        { counter: asCounter(a.node), vector: a.vector },
        { counter: asCounter(b.node), vector: b.vector },
      );
    case "cell":
      return mergeCells(
        { cell: asCell(a.node), vector: a.vector },
        { cell: asCell(b.node), vector: b.vector },
      );
    case "dict":
      return mergeDicts(a, b, owner);
  }
}

function mergeDicts(a: NodeCopy, b: NodeCopy, owner: Owner): DictNode | undefined {
  const left = asDict(a.node)?.children;
  const right = asDict(b.node)?.children;
  const keys = new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])]);
  const children = new Map<string, StateNode>();
  for (const key of keys) {
    const node = mergeNodes(
      { node: left?.get(key), vector: a.vector },
      { node: right?.get(key), vector: b.vector },
      owner,
    );
    if (node !== undefined) children.set(key, node);
  }
  return children.size === 0 ? undefined : new DictNode(owner, new LayeredMap(children));
}

function mixed(expected: string, node: StateNode): LatticeError {
  return new LatticeError(
    "incompatible",
    `state is damaged: a ${node.type} where ${expected} is due`,
  );
}
