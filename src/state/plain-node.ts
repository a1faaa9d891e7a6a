/** The plain value of committed state: what watchers, replies and JSON show of it. */
import type { FlagKind, MapKind, RegisterKind } from "../definition/kinds.ts";
import type { Value } from "../model/value.ts";
import { compareKeys } from "./canonical-key.ts";
import { winner } from "./cell-entry.ts";
import type { CellEntry } from "./cell-entry.ts";
import { counterValue } from "./counter-run.ts";
import { asCell, asCounter, asDict, isPresent } from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";
import type { AnyKind } from "./draft-node.ts";
import { showValue } from "./stored-value.ts";

/** @returns `undefined` for an extreme that nothing was observed of. */
export function plainOfNode(kind: AnyKind, node: StateNode | undefined): Value | undefined {
  switch (kind.kind) {
    case "counter":
      return counterValue(asCounter(node));
    case "set":
      return setOf(cells(node).map(([key, cell]) => [key, showValue(winner(cell).value)]));
    case "value-map":
      return recordOf(cells(node).map(([key, cell]) => [key, showValue(winner(cell).value)]));
    case "map":
      return plainOfMap((kind as MapKind<unknown, unknown>).of, node);
    default:
      return plainOfCell(kind, asCell(node));
  }
}

/** What a register, flag or extreme shows of its concurrent writes. */
export function plainOfCell(kind: AnyKind, cell: CellEntry | undefined): Value | undefined {
  switch (kind.kind) {
    case "flag":
      return flagValue(cell, (kind as FlagKind).wins === "enable");
    case "max":
      return extreme(cell, 1);
    case "min":
      return extreme(cell, -1);
    default:
      return cell === undefined
        ? (kind as RegisterKind<Value>).default
        : showValue(winner(cell).value);
  }
}

/** The elements of a set in an order that does not depend on how copies were merged. */
export function setOf(entries: [string, Value][]): Value {
  return entries.sort(compareKeys).map(([, value]) => value);
}

/** A plain object of entries; keys were checked when they were written. */
export function recordOf(entries: Iterable<readonly [string, Value | undefined]>): Value {
  const record: Record<string, Value> = {};
  for (const [key, value] of entries) {
    if (value !== undefined) record[key] = value;
  }
  return record;
}

function plainOfMap(kind: AnyKind, node: StateNode | undefined): Value {
  const entries: [string, Value | undefined][] = [];
  for (const [key, child] of asDict(node)?.children ?? []) {
    if (isPresent(child)) entries.push([key, plainOfNode(kind, child)]);
  }
  return recordOf(entries);
}

function cells(node: StateNode | undefined): [string, CellEntry][] {
  const entries: [string, CellEntry][] = [];
  for (const [key, child] of asDict(node)?.children ?? []) entries.push([key, asCell(child)!]);
  return entries;
}

/** With enable wins one `true` among concurrent writes is enough, with disable wins one `false`. */
function flagValue(cell: CellEntry | undefined, enableWins: boolean): boolean {
  if (cell === undefined) return false;
  for (let entry: CellEntry | undefined = cell; entry !== undefined; entry = entry.next) {
    if ((entry.value === true) === enableWins) return enableWins;
  }
  return !enableWins;
}

function extreme(cell: CellEntry | undefined, sign: 1 | -1): number | undefined {
  let best: number | undefined;
  for (let entry = cell; entry !== undefined; entry = entry.next) {
    const value = entry.value as number;
    if (best === undefined || value * sign > best * sign) best = value;
  }
  return best;
}
