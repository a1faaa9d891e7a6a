/**
 * The scalar fields of one generation of an entity: a short list of (field key, node). It knows no
 * function definition: what a field is stands in its key.
 */
import { cellBytes, writeToCell } from "./cell-entry.ts";
import type { EntryFields } from "./cell-entry.ts";
import type { CausalVector } from "./causal-vector.ts";
import { addToCounter, addToOwnCounter, counterBytes } from "./counter-run.ts";
import type { Folding } from "./counter-run.ts";
import {
  asCell,
  asCounter,
  asDict,
  DictNode,
  keyBytes,
  mergeNodes,
  nodeBytes,
  removeFromNode,
} from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";
import { leafOf } from "./field-tag.ts";
import type { AddOperation, Path } from "./operation.ts";
import { newOwner, nobody } from "./owner.ts";
import type { Owner } from "./owner.ts";
import { foldNode } from "./retirement.ts";
import type { Removal } from "./seen.ts";

export class Contents {
  /**
   * The first field, which as a rule is the only one, lies in the object itself. Further ones are
   * alternating field keys and nodes; a `Map` would weigh more than most entities hold.
   */
  #field: string | undefined = undefined;
  #node: StateNode | undefined = undefined;
  #more: (string | StateNode)[] | undefined = undefined;
  /** What the nodes that this copy may change are marked with; given when it first changes one. */
  #owner: Owner = nobody;
  #bytes = 0;

  /** Estimated encoded bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** See `Entity.fetch`. */
  fetch(): number {
    return this.#node?.type === "counter" ? this.#node.last : 0;
  }

  get fieldCount(): number {
    if (this.#field === undefined) return 0;
    return 1 + (this.#more === undefined ? 0 : this.#more.length / 2);
  }

  get(field: string): StateNode | undefined {
    if (this.#field === field) return this.#node;
    const more = this.#more;
    if (more === undefined) return undefined;
    for (let index = 0; index < more.length; index += 2) {
      if (more[index] === field) return more[index + 1] as StateNode;
    }
    return undefined;
  }

  /** The node at a path. */
  at(path: Path): StateNode | undefined {
    let node = this.get(path[0]!);
    for (let index = 1; index < path.length && node !== undefined; index += 1) {
      node = asDict(node)?.children.get(path[index]!);
    }
    return node;
  }

  /** Sorted by field key when `sorted`: the order of first change differs between replicas. */
  entries(sorted: boolean): [string, StateNode][] {
    const entries: [string, StateNode][] = [];
    if (this.#field !== undefined) entries.push([this.#field, this.#node!]);
    const more = this.#more ?? [];
    for (let index = 0; index < more.length; index += 2) {
      entries.push([more[index] as string, more[index + 1] as StateNode]);
    }
    return sorted ? entries.sort(([a], [b]) => (a < b ? -1 : 1)) : entries;
  }

  /** Puts a decoded field; each key once. */
  put(field: string, node: StateNode): void {
    this.#set(field, node);
    this.#bytes += keyBytes(field) + nodeBytes(node);
  }

  /** A copy that shares everything until one of the two changes it. */
  clone(): Contents {
    const copy = new Contents();
    copy.#field = this.#field;
    copy.#node = this.#node;
    copy.#more = this.#more?.slice();
    copy.#bytes = this.#bytes;
    this.#owner = nobody;
    return copy;
  }

  add(change: AddOperation, writer: number, sequence: number): void {
    const { path } = change;
    const parent = this.#open(path);
    const last = path[path.length - 1]!;
    const old = asCounter(parent === undefined ? this.get(last) : parent.children.get(last));
    const owner = this.#ownOwner();
    if (old?.owner === owner && addToOwnCounter(old, writer, sequence, change)) return;
    const next = addToCounter(old, writer, sequence, change);
    next.owner = owner;
    if (old === undefined) this.#bytes += keyBytes(last);
    this.#bytes += counterBytes(next) - counterBytes(old);
    if (parent === undefined) this.#set(last, next);
    else parent.children.set(last, next);
  }

  write(path: Path, removal: Removal, entry: EntryFields): void {
    const parent = this.#open(path);
    const last = path[path.length - 1]!;
    const old = asCell(parent === undefined ? this.get(last) : parent.children.get(last));
    const next = writeToCell(old, removal, entry);
    if (old === undefined) this.#bytes += keyBytes(last);
    this.#bytes += cellBytes(next) - cellBytes(old);
    if (parent === undefined) this.#set(last, next);
    else parent.children.set(last, next);
  }

  /** Takes away what the remover had seen at `path` and below. */
  remove(path: Path, removal: Removal): void {
    const field = path[0]!;
    const node = this.get(field);
    if (node === undefined || this.at(path) === undefined) return;
    const kept =
      path.length === 1 ? this.#strip(node, removal, path) : this.#removeBelow(node, removal, path);
    if (kept !== undefined) {
      this.#set(field, kept);
      return;
    }
    this.#bytes -= keyBytes(field);
    this.#drop(field);
  }

  /** Folds what retired writers added to counters. Costs a pass over these. */
  fold(folding: Folding): void {
    for (const [field, node] of this.entries(false)) {
      if (leafOf(field) !== "counter") continue;
      const kept = foldNode(node, folding, this.#ownOwner());
      if (kept !== node) this.#replace(field, node, kept);
    }
  }

  /** Joins another copy of the same generation. */
  merge(vector: CausalVector, other: Contents, otherVector: CausalVector): void {
    const owner = this.#ownOwner();
    const fields = new Set([...this.entries(false), ...other.entries(false)].map(([key]) => key));
    const merged = new Contents();
    for (const field of fields) {
      const mine = { node: this.get(field), vector };
      const node = mergeNodes(mine, { node: other.get(field), vector: otherVector }, owner);
      if (node !== undefined) merged.put(field, node);
    }
    this.#field = merged.#field;
    this.#node = merged.#node;
    this.#more = merged.#more;
    this.#bytes = merged.#bytes;
    // What was taken over from `other` keeps its owner there, so its owner must let go of it.
    other.#owner = nobody;
  }

  #replace(field: string, node: StateNode, kept: StateNode | undefined): void {
    this.#bytes += nodeBytes(kept) - nodeBytes(node);
    if (kept !== undefined) {
      this.#set(field, kept);
      return;
    }
    this.#bytes -= keyBytes(field);
    this.#drop(field);
  }

  #set(field: string, node: StateNode): void {
    if (this.#field === undefined || this.#field === field) {
      this.#field = field;
      this.#node = node;
      return;
    }
    const at = this.#more?.indexOf(field) ?? -1;
    if (at >= 0) this.#more![at + 1] = node;
    else if (this.#more !== undefined) this.#more.push(field, node);
    // A literal holds exactly two items; `push` would reserve room for seventeen.
    else this.#more = [field, node];
  }

  #drop(field: string): void {
    const entries = this.entries(false).filter(([key]) => key !== field);
    this.#field = undefined;
    this.#node = undefined;
    this.#more = undefined;
    for (const [key, node] of entries) this.#set(key, node);
  }

  /** The dict that holds the last step of `path`, made changeable; `undefined` for a plain field. */
  #open(path: Path): DictNode | undefined {
    if (path.length === 1) return undefined;
    const owner = this.#ownOwner();
    const root = asDict(this.get(path[0]!));
    let dict = root === undefined ? new DictNode(owner) : root.ownedBy(owner);
    if (root === undefined) this.#bytes += keyBytes(path[0]!);
    if (dict !== root) this.#set(path[0]!, dict);
    for (let index = 1; index < path.length - 1; index += 1) {
      const key = path[index]!;
      const child = asDict(dict.children.get(key));
      const owned = child === undefined ? new DictNode(owner) : child.ownedBy(owner);
      if (child === undefined) this.#bytes += keyBytes(key);
      if (owned !== child) dict.children.set(key, owned);
      dict = owned;
    }
    return dict;
  }

  #strip(node: StateNode, removal: Removal, path: Path): StateNode | undefined {
    const kept = removeFromNode(node, removal, path, this.#ownOwner());
    this.#bytes += nodeBytes(kept) - nodeBytes(node);
    return kept;
  }

  #removeBelow(node: StateNode, removal: Removal, path: Path, depth = 1): StateNode | undefined {
    const dict = asDict(node)!.ownedBy(this.#ownOwner());
    const key = path[depth]!;
    const child = dict.children.get(key)!;
    const kept =
      depth === path.length - 1
        ? this.#strip(child, removal, path)
        : this.#removeBelow(child, removal, path, depth + 1);
    if (kept !== undefined) {
      dict.children.set(key, kept);
      return dict;
    }
    dict.children.delete(key);
    this.#bytes -= keyBytes(key);
    return dict.children.size === 0 ? undefined : dict;
  }

  #ownOwner(): Owner {
    if (this.#owner === nobody) this.#owner = newOwner();
    return this.#owner;
  }
}
