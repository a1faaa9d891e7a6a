/**
 * The scalar fields of one generation of an entity: a short list of (field key, node). It knows no
 * function definition: what a field is stands in its key.
 */
import { cellBytes, writeToCell } from "./cell-entry.ts";
import type { EntryFields } from "./cell-entry.ts";
import type { CausalVector } from "./causal-vector.ts";
import { addToCounter, addToOwnCounter, counterBytes } from "./counter-run.ts";
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
import type { Owner, StateNode } from "./dict-node.ts";
import type { AddOperation, Path } from "./operation.ts";
import type { Removal } from "./seen.ts";

export class Contents {
  /** Alternating field keys and nodes; a `Map` would weigh more than most entities hold. */
  #fields: (string | StateNode)[] = [];
  #owner: Owner | undefined;
  #bytes = 0;

  /** Estimated encoded bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get fieldCount(): number {
    return this.#fields.length / 2;
  }

  get(field: string): StateNode | undefined {
    const fields = this.#fields;
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index] === field) return fields[index + 1] as StateNode;
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
    for (let index = 0; index < this.#fields.length; index += 2) {
      entries.push([this.#fields[index] as string, this.#fields[index + 1] as StateNode]);
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
    copy.#fields = this.#fields.slice();
    copy.#bytes = this.#bytes;
    this.#owner = undefined;
    return copy;
  }

  add(change: AddOperation, writer: number, sequence: number): void {
    const { path } = change;
    const parent = this.#open(path);
    const last = path[path.length - 1]!;
    const old = asCounter(parent === undefined ? this.get(last) : parent.children.get(last));
    const owner = this.#ownerToken();
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
    this.#fields.splice(this.#fields.indexOf(field), 2);
  }

  /** Joins another copy of the same generation. */
  merge(vector: CausalVector, other: Contents, otherVector: CausalVector): void {
    const owner = this.#ownerToken();
    const fields = new Set([...this.entries(false), ...other.entries(false)].map(([key]) => key));
    const merged: (string | StateNode)[] = [];
    this.#bytes = 0;
    for (const field of fields) {
      const mine = { node: this.get(field), vector };
      const node = mergeNodes(mine, { node: other.get(field), vector: otherVector }, owner);
      if (node === undefined) continue;
      merged.push(field, node);
      this.#bytes += keyBytes(field) + nodeBytes(node);
    }
    this.#fields = merged;
    // What was taken over from `other` keeps its owner there, so its owner must let go of it.
    other.#owner = undefined;
  }

  #set(field: string, node: StateNode): void {
    const fields = this.#fields;
    for (let index = 0; index < fields.length; index += 2) {
      if (fields[index] === field) {
        fields[index + 1] = node;
        return;
      }
    }
    // A literal holds exactly two items; `push` would reserve room for seventeen.
    if (fields.length === 0) this.#fields = [field, node];
    else fields.push(field, node);
  }

  /** The dict that holds the last step of `path`, made changeable; `undefined` for a plain field. */
  #open(path: Path): DictNode | undefined {
    if (path.length === 1) return undefined;
    const owner = this.#ownerToken();
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
    const kept = removeFromNode(node, removal, path, this.#ownerToken());
    this.#bytes += nodeBytes(kept) - nodeBytes(node);
    return kept;
  }

  #removeBelow(node: StateNode, removal: Removal, path: Path, depth = 1): StateNode | undefined {
    const dict = asDict(node)!.ownedBy(this.#ownerToken());
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

  #ownerToken(): Owner {
    this.#owner ??= new OwnerToken();
    return this.#owner;
  }
}

/** An identity and nothing else; an empty literal would reserve room for four properties. */
class OwnerToken {
  readonly type = "owner";
}
