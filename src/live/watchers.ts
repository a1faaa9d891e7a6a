/**
 * Who watches what, and what each still lacks. Changes only mark; once per tick `flush` computes
 * each changed selection once and tells its watchers in one message each, however many commits
 * there were. A link above its high-water mark is passed over and later gets one difference (or
 * snapshot) in place of a backlog.
 *
 * ```
 * subscribe ─▶ selection ◀─ changed(entity)
 *                 │ flush: read or run the query, compare, encode once
 *                 ▼
 *      snapshot (new, unknown version) │ change (version still remembered)
 * ```
 */
import type { ErrorCode } from "../model/error.ts";
import type { EntityName, NodeId, PartitionId } from "../model/ids.ts";
import type { Value } from "../model/value.ts";
import type { ChangeMessage, SnapshotMessage, WatchEndMessage } from "../wire/messages.ts";
import {
  lingerMs,
  maxLingering,
  maxSelectionsPerEntity,
  maxWatchersPerEntity,
  maxWatchersPerLink,
  maxWatchersPerNode,
} from "./limits.ts";
import { Selection, type Reading, type SelectionTarget } from "./selection.ts";
import type { LinkId, Watcher } from "./watcher.ts";

export interface WatchersOptions {
  /** Unique to this life of this node: versions of two lives or nodes never mean the same. */
  readonly tag: string;
  readonly encode: (value: Value) => Uint8Array;
  /** The committed plain value of an entity, or of one field of it. */
  readonly read: (entity: EntityName, field: string) => Reading;
}

export interface WatchRequest {
  readonly link: LinkId;
  readonly id: number;
  readonly partition: PartitionId;
  readonly target: SelectionTarget;
  /** Version last seen, "" for none. */
  readonly resume: string;
}

export type LiveEffect =
  | {
      readonly type: "send";
      readonly link: LinkId;
      readonly message: SnapshotMessage | ChangeMessage | WatchEndMessage;
    }
  /** Run the query on the committed state and give the outcome to `answered`. */
  | { readonly type: "query"; readonly selection: Selection };

export type QueryOutcome =
  | { readonly type: "value"; readonly reading: Reading }
  | { readonly type: "failed"; readonly code: ErrorCode; readonly message: string };

/** Why watches end, for the watching side. */
export interface WatchEnd {
  readonly code: ErrorCode;
  readonly message: string;
  /** Who serves them now, or "". */
  readonly primary: NodeId;
}

/** A watcher, and what it watches. */
interface Watch extends Watcher {
  readonly selection: Selection;
}

/** What is watched of one entity. */
interface WatchedEntity {
  readonly name: EntityName;
  readonly partition: PartitionId;
  readonly selections: Selection[];
  watcherCount: number;
}

export class Watchers {
  readonly #options: WatchersOptions;
  readonly #entities = new Map<EntityName, WatchedEntity>();
  readonly #links = new Map<LinkId, Map<number, Watch>>();
  readonly #blocked = new Set<LinkId>();
  /** Selections with something to compute or to send. */
  readonly #due = new Set<Selection>();
  /** Selections without watchers, the oldest first. */
  readonly #lingering = new Set<Selection>();
  #count = 0;
  #versions = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  /** Watches being served. */
  get count(): number {
    return this.#count;
  }

  /** Whether changes of this entity have to be told at all. */
  watches(entity: EntityName): boolean {
    return this.#entities.has(entity);
  }

  /** When `flush` has work, in milliseconds of the injected clock; `Infinity` for never. */
  nextFlushAt(): number {
    let at = Infinity;
    for (const selection of this.#due) {
      if (hasWork(selection)) at = Math.min(at, selection.notBeforeAt);
    }
    for (const oldest of this.#lingering) return Math.min(at, oldest.lingersUntil);
    return at;
  }

  /** Begins a watch; its snapshot comes with the next `flush`. Refused beyond the limits. */
  subscribe(request: WatchRequest): readonly LiveEffect[] {
    const { link, id, target } = request;
    this.unsubscribe(link, id, 0);
    const refusal = this.#refusal(link, target.entity);
    if (refusal !== undefined) return [endOf(link, id, overloaded(refusal))];
    const entity = this.#entityOf(target.entity, request.partition);
    const selection = this.#selectionOf(entity, target);
    if (selection === undefined) {
      return [endOf(link, id, overloaded(`${target.entity} is watched in too many ways`))];
    }
    const watch: Watch = { link, id, selection, version: request.resume };
    this.#watchesOf(link).set(id, watch);
    selection.watchers.add(watch);
    selection.behind.add(watch);
    selection.lingersUntil = 0;
    this.#lingering.delete(selection);
    entity.watcherCount += 1;
    this.#count += 1;
    this.#due.add(selection);
    return [];
  }

  /** Ends a watch at its own side's wish; nothing is sent. Unknown ids are ignored. */
  unsubscribe(link: LinkId, id: number, now: number): void {
    const watches = this.#links.get(link);
    const watch = watches?.get(id);
    if (watches === undefined || watch === undefined) return;
    watches.delete(id);
    if (watches.size === 0) this.#links.delete(link);
    this.#remove(watch.selection, watch);
    if (watch.selection.watchers.size === 0) this.#linger(watch.selection, now);
  }

  /** The link is gone, and all its watches with it. */
  linkClosed(link: LinkId, now: number): void {
    for (const id of [...(this.#links.get(link)?.keys() ?? [])]) this.unsubscribe(link, id, now);
    this.#blocked.delete(link);
  }

  /** The link is above its high-water mark: nothing is sent to it until `drained`. */
  needsResync(link: LinkId): void {
    if (this.#links.has(link)) this.#blocked.add(link);
  }

  drained(link: LinkId): void {
    if (!this.#blocked.delete(link)) return;
    for (const watch of this.#links.get(link)?.values() ?? []) {
      if (watch.selection.behind.has(watch)) this.#due.add(watch.selection);
    }
  }

  /** The committed state of an entity changed. Cheap: computes nothing. */
  changed(name: EntityName): void {
    if (this.#entities.size === 0) return;
    for (const selection of this.#entities.get(name)?.selections ?? []) {
      selection.isStale = true;
      if (selection.watchers.size > 0) this.#due.add(selection);
    }
  }

  /** This node serves these entities no more: ends their watches and forgets their versions. */
  end(
    isOver: (partition: PartitionId, entity: EntityName) => boolean,
    why: WatchEnd,
  ): LiveEffect[] {
    const effects: LiveEffect[] = [];
    for (const entity of [...this.#entities.values()]) {
      if (!isOver(entity.partition, entity.name)) continue;
      for (const selection of [...entity.selections]) this.#endSelection(selection, why, effects);
    }
    return effects;
  }

  /** Takes the outcome of a query that a `query` effect asked for; sent with the next `flush`. */
  answered(selection: Selection, outcome: QueryOutcome): readonly LiveEffect[] {
    selection.isRunning = false;
    const entity = this.#entities.get(selection.target.entity);
    // Ended while the query ran.
    if (entity?.selections.includes(selection) !== true) return [];
    if (outcome.type === "failed") {
      const effects: LiveEffect[] = [];
      const { code, message } = outcome;
      this.#endSelection(selection, { code, message, primary: "" }, effects);
      return effects;
    }
    const changedMeanwhile = selection.isStale;
    selection.update(outcome.reading, this.#newVersion);
    selection.isStale = changedMeanwhile;
    if (selection.watchers.size > 0) this.#due.add(selection);
    return [];
  }

  /** Computes what changed, once each, and tells whoever lacks it. */
  flush(now: number): LiveEffect[] {
    const effects: LiveEffect[] = [];
    for (const selection of this.#due) {
      if (selection.notBeforeAt > now) continue;
      this.#due.delete(selection);
      if (selection.watchers.size === 0) continue;
      if (selection.isStale) this.#compute(selection, effects);
      if (selection.version !== "") this.#deliver(selection, now, effects);
    }
    for (const selection of this.#lingering) {
      if (selection.lingersUntil > now) break;
      this.#dropSelection(selection);
    }
    return effects;
  }

  #compute(selection: Selection, effects: LiveEffect[]): void {
    const { entity: name, field, query } = selection.target;
    if (!query) {
      selection.update(this.#options.read(name, field), this.#newVersion);
    } else if (!selection.isRunning) {
      selection.isRunning = true;
      selection.isStale = false;
      effects.push({ type: "query", selection });
    }
  }

  #deliver(selection: Selection, now: number, effects: LiveEffect[]): void {
    let sent = false;
    for (const watcher of selection.behind) {
      if (this.#blocked.has(watcher.link)) continue;
      selection.behind.delete(watcher);
      if (watcher.version === selection.version) continue;
      effects.push({ type: "send", link: watcher.link, message: selection.messageFor(watcher) });
      watcher.version = selection.version;
      sent = true;
    }
    if (sent) selection.notBeforeAt = now + selection.target.minIntervalMs;
  }

  readonly #newVersion = (): string => `${this.#options.tag}.${(++this.#versions).toString(36)}`;

  #entityOf(name: EntityName, partition: PartitionId): WatchedEntity {
    let entity = this.#entities.get(name);
    if (entity === undefined) {
      entity = { name, partition, selections: [], watcherCount: 0 };
      this.#entities.set(name, entity);
    }
    return entity;
  }

  #selectionOf(entity: WatchedEntity, target: SelectionTarget): Selection | undefined {
    const known = entity.selections.find((selection) => sameTarget(selection.target, target));
    if (known !== undefined) return known;
    if (entity.selections.length >= maxSelectionsPerEntity) {
      const idle = entity.selections.find((selection) => selection.watchers.size === 0);
      if (idle === undefined) return undefined;
      entity.selections.splice(entity.selections.indexOf(idle), 1);
      this.#lingering.delete(idle);
    }
    const selection = new Selection(target, this.#options.encode);
    entity.selections.push(selection);
    return selection;
  }

  #refusal(link: LinkId, name: EntityName): string | undefined {
    const bounds: readonly (readonly [number, number, string])[] = [
      [this.#count, maxWatchersPerNode, "this node"],
      [this.#entities.get(name)?.watcherCount ?? 0, maxWatchersPerEntity, name],
      [this.#links.get(link)?.size ?? 0, maxWatchersPerLink, "this connection"],
    ];
    const full = bounds.find(([count, max]) => count >= max);
    return full === undefined ? undefined : `${full[2]} has ${String(full[1])} watches already`;
  }

  #watchesOf(link: LinkId): Map<number, Watch> {
    let watches = this.#links.get(link);
    if (watches === undefined) {
      watches = new Map<number, Watch>();
      this.#links.set(link, watches);
    }
    return watches;
  }

  #remove(selection: Selection, watcher: Watcher): void {
    selection.watchers.delete(watcher);
    selection.behind.delete(watcher);
    const entity = this.#entities.get(selection.target.entity);
    if (entity !== undefined) entity.watcherCount -= 1;
    this.#count -= 1;
  }

  #linger(selection: Selection, now: number): void {
    selection.lingersUntil = now + lingerMs;
    this.#due.delete(selection);
    this.#lingering.delete(selection);
    this.#lingering.add(selection);
    if (this.#lingering.size <= maxLingering) return;
    for (const oldest of this.#lingering) {
      this.#dropSelection(oldest);
      break;
    }
  }

  #endSelection(selection: Selection, why: WatchEnd, effects: LiveEffect[]): void {
    for (const watcher of [...selection.watchers]) {
      const watches = this.#links.get(watcher.link);
      watches?.delete(watcher.id);
      if (watches?.size === 0) this.#links.delete(watcher.link);
      this.#remove(selection, watcher);
      effects.push(endOf(watcher.link, watcher.id, why));
    }
    this.#dropSelection(selection);
  }

  #dropSelection(selection: Selection): void {
    this.#due.delete(selection);
    this.#lingering.delete(selection);
    const entity = this.#entities.get(selection.target.entity);
    const index = entity?.selections.indexOf(selection) ?? -1;
    if (entity === undefined || index < 0) return;
    entity.selections.splice(index, 1);
    if (entity.selections.length === 0) this.#entities.delete(entity.name);
  }
}

function hasWork(selection: Selection): boolean {
  if (selection.watchers.size === 0) return false;
  return (selection.isStale && !selection.isRunning) || selection.behind.size > 0;
}

function sameTarget(a: SelectionTarget, b: SelectionTarget): boolean {
  return (
    a.field === b.field &&
    a.query === b.query &&
    a.input.length === b.input.length &&
    a.input.every((byte, index) => byte === b.input[index])
  );
}

function overloaded(what: string): WatchEnd {
  return {
    code: "overloaded",
    message: `${what}: watch fewer things or use more nodes`,
    primary: "",
  };
}

function endOf(link: LinkId, id: number, { code, message, primary }: WatchEnd): LiveEffect {
  return { type: "send", link, message: { type: "watch-end", id, code, message, primary } };
}
