/**
 * Processes, links and clients around the real `Replica`, modelled on the executable specification:
 * FIFO links, cuts that lose what is under way, one-way cuts, crashes, restarts as new processes,
 * pauses of any length after which timers fire before reads, wrong suspicion.
 */
import { nodeOf, processId } from "../../../src/model/ids.ts";
import type { ProcessId } from "../../../src/model/ids.ts";
import { compareTerms, sameTerm } from "../../../src/model/term.ts";
import type { Peers } from "../../../src/replication/peers.ts";
import { Replica } from "../../../src/replication/replica.ts";
import type { ReplicationEffect } from "../../../src/replication/effect.ts";
import type { Slot } from "../../../src/replication/slot.ts";
import type { Waiter } from "../../../src/replication/waiters.ts";
import type { Commit, PartitionMessage } from "../../../src/wire/replication-messages.ts";
import type { CommitSet } from "./commit-set.ts";
import { commitSets, commitThat, idOf } from "./commit-set.ts";
import { ComparedReads } from "./compared-reads.ts";
import { isSlate, nextId, Slates, type Stroke } from "./slates.ts";

export type Random = () => number;

/** The generator of the specification: a seed tells a whole run. */
export function seeded(seed: number): Random {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Process {
  id: ProcessId;
  boot: number;
  up: boolean;
  paused: boolean;
  replica: Replica<CommitSet>;
  table: readonly number[];
  /** Something about peers changed while it was paused. */
  stale: boolean;
}

export interface Request {
  readonly call: number;
  readonly attempt: number;
  readonly consent: boolean;
  forwarded: boolean;
}

export interface Answer {
  readonly call: number;
  readonly attempt: number;
  readonly says: "ok" | "degraded" | "offered" | "indeterminate" | "unavailable";
}

export interface Call {
  readonly call: number;
  readonly entity: string;
  readonly willing: boolean;
  readonly acks: number | "all";
  attempt: number;
  consent: boolean;
  answer: "ok" | "degraded" | undefined;
  sent: boolean;
}

type Token =
  | { readonly type: "call"; readonly request: Request; readonly id: string }
  | { readonly type: "stroke"; readonly stroke: Stroke }
  | { readonly type: "read"; readonly ids: readonly string[] }
  /** Must not be older than its asking: what was answered or read by then and it does not show. */
  | { readonly type: "fresh"; readonly missed: string | undefined };

export class World {
  now = 0;
  readonly size: number;
  readonly random: Random;
  readonly processes: Process[] = [];
  readonly queues: PartitionMessage[][][] = [];
  readonly senders: { from: ProcessId; to: ProcessId }[][][] = [];
  readonly links: boolean[][] = [];
  readonly suspects: boolean[][] = [];
  readonly calls: Call[] = [];
  readonly slates = new Slates();
  readonly compared = new ComparedReads();
  readonly requests: { at: number; request: Request }[] = [];
  readonly answers: Answer[] = [];
  table: readonly number[];
  /** A crash is allowed: all has been healthy since the last one. */
  armed = true;
  anyCrash = false;
  crashCount = 0;
  takeoverCount = 0;
  mergedCount = 0;
  divergedCount = 0;
  handoverCount = 0;
  readonly acknowledged = new Map<string, number>();
  readonly seen = new Set<string>();
  /** What a read that must not be old did not show. */
  readonly staleReads: string[] = [];
  freshCount = 0;
  readonly committed = new Set<string>();
  readonly notRun = new Set<string>();
  log: ((line: string) => void) | undefined;

  constructor(size: number, table: readonly number[], random: Random) {
    this.size = size;
    this.table = table;
    this.random = random;
    for (let i = 0; i < size; i++) {
      this.queues.push(Array.from({ length: size }, () => []));
      this.senders.push(Array.from({ length: size }, () => []));
      this.links.push(Array.from({ length: size }, () => true));
      this.suspects.push(Array.from({ length: size }, () => false));
    }
    for (let i = 0; i < size; i++) this.#start(i, 1);
    for (let i = 0; i < size; i++) this.#touchPeers(i);
  }

  /** Where entities were found last, by process and name. */
  readonly #slots = new Map<string, Slot<CommitSet> | undefined>();

  #start(i: number, boot: number): void {
    const id = processId(`n${String(i)}`, boot);
    const options = {
      partition: 0,
      self: id,
      peers: this.#peersOf(i),
      random: this.random,
      entities: commitSets,
      table: this.table.map((j) => `n${String(j)}`),
    };
    const first = boot === 1 && i === this.table[0];
    const replica = first
      ? Replica.birth(options, "g", this.now)
      : Replica.absent<CommitSet>(options);
    const process = { id, boot, up: true, paused: false, replica, table: this.table, stale: false };
    this.processes[i] = process;
  }

  process(i: number): Process {
    return this.processes[i]!;
  }

  indexOf(process: ProcessId): number {
    return Number(nodeOf(process).slice(1));
  }

  connected(i: number, j: number): boolean {
    if (i === j) return true;
    return this.links[i]?.[j] === true && this.links[j]?.[i] === true && this.process(j).up;
  }

  #peersOf(i: number): Peers {
    const reachable = (process: ProcessId): boolean => {
      const j = this.indexOf(process);
      const there = this.process(j);
      return there.id === process && this.connected(i, j) && this.suspects[i]?.[j] !== true;
    };
    return {
      reachable,
      lost: (process) => !reachable(process),
      provenDead: (process) => {
        const j = this.indexOf(process);
        const there = this.process(j);
        const boot = Number(process.slice(process.indexOf("#") + 1));
        return there.boot > boot && there.up && this.connected(i, j);
      },
      presentOf: (node) => {
        const j = Number(node.slice(1));
        return this.connected(i, j) && this.process(j).up ? this.process(j).id : undefined;
      },
      holdsDead: () => false,
      isLeaving: () => false,
    };
  }

  perform(i: number, effects: readonly ReplicationEffect[]): void {
    const { id } = this.process(i);
    for (const effect of effects) {
      switch (effect.type) {
        case "send": {
          const j = this.indexOf(effect.to);
          if (this.links[i]?.[j] !== true || !this.process(j).up || i === j) break;
          this.queues[i]?.[j]?.push(effect.message);
          this.senders[i]?.[j]?.push({ from: id, to: effect.to });
          break;
        }
        case "release":
          this.#released(effect.token as Token, effect.outcome);
          break;
        case "committed":
          for (const name of effect.entities) this.#observe(i, name);
          break;
        case "replaced":
          for (const name of this.process(i).replica.entityNames()) this.#observe(i, name);
          break;
        case "role-changed":
          if (effect.role === "primary") this.takeoverCount++;
          break;
        case "fork-merged":
          this.mergedCount += effect.commits;
          break;
        case "fork-refused":
          this.slates.refusedCount += effect.entities.length;
          break;
        case "reaped":
          break;
        case "diverged":
          this.divergedCount++;
          break;
        case "owners-changed":
          break;
      }
    }
    if (!this.armed && this.isHealthy()) this.armed = true;
  }

  /** What is known to be committed anywhere may be watched, and has to stay. */
  #observe(i: number, name: string): void {
    const entity = this.process(i).replica.committedEntity(name);
    if (entity !== undefined && !isSlate(name))
      for (const id of entity.commits.keys()) this.committed.add(`${name} ${id}`);
  }

  #released(
    token: Token,
    outcome: { type: "ok"; copies: number; degraded: boolean } | { type: "indeterminate" },
  ): void {
    if (token.type === "read") {
      if (outcome.type === "ok" && !outcome.degraded) {
        for (const id of token.ids) this.seen.add(id);
      }
      return;
    }
    if (token.type === "fresh") {
      if (outcome.type !== "ok") return;
      this.freshCount++;
      if (token.missed !== undefined) this.staleReads.push(token.missed);
      return;
    }
    if (token.type === "stroke") {
      token.stroke.isAcknowledged =
        outcome.type === "ok" && !outcome.degraded && outcome.copies >= 2;
      return;
    }
    const { call, attempt } = token.request;
    if (outcome.type === "indeterminate") {
      this.answers.push({ call, attempt, says: "indeterminate" });
      return;
    }
    if (!outcome.degraded && outcome.copies >= 2) this.acknowledged.set(token.id, call);
    this.answers.push({ call, attempt, says: outcome.degraded ? "degraded" : "ok" });
  }

  // ---- events: each returns whether it was possible

  deliver(i: number, j: number): boolean {
    const there = this.process(j);
    const message = this.queues[i]?.[j]?.[0];
    if (message === undefined || !there.up || there.paused) return false;
    this.queues[i]?.[j]?.shift();
    const sender = this.senders[i]?.[j]?.shift();
    if (sender?.to !== there.id) return true;
    if (this.log !== undefined) {
      const { type } = message;
      const term = "term" in message ? `${String(message.term.number)}${message.term.process}` : "";
      const position = "position" in message ? `.${String(message.position)}` : "";
      this.log(`${there.id} receives ${type} ${term}${position} from ${sender.from}`);
    }
    this.perform(j, there.replica.receive(sender.from, message, this.now));
    this.log?.(`     ${this.show(j)}`);
    return true;
  }

  tick(i: number): boolean {
    const process = this.process(i);
    if (!process.up || process.paused || process.replica.nextTickAt > this.now) return false;
    this.log?.(`${process.id} ticks at ${this.now.toFixed(0)}`);
    this.perform(i, process.replica.tick(this.now));
    this.log?.(`     ${this.show(i)}`);
    return true;
  }

  run(index: number): boolean {
    const entry = this.requests[index];
    if (entry === undefined) return false;
    const { at, request } = entry;
    const process = this.process(at);
    if (!process.up || process.paused) return false;
    this.requests.splice(index, 1);
    this.#runAt(at, request);
    return true;
  }

  #runAt(at: number, request: Request): void {
    const { replica } = this.process(at);
    const { call, attempt } = request;
    const { entity, acks } = this.calls[call]!;
    this.log?.(`call ${String(call)}#${String(attempt)} runs at ${this.process(at).id}`);
    if (replica.serving === undefined) {
      const j = replica.primary === "" ? -1 : this.indexOf(replica.primary);
      const known = j >= 0 && j !== at && this.process(j).id === replica.primary;
      if (!request.forwarded && known && this.connected(at, j)) {
        this.requests.push({ at: j, request: { ...request, forwarded: true } });
      } else this.answers.push({ call, attempt, says: "unavailable" });
      return;
    }
    if (replica.serving === "degraded" && !request.consent) {
      this.answers.push({ call, attempt, says: "offered" });
      return;
    }
    const tip = replica.tip(entity, true)!;
    const hit = tip.find((says) => says.startsWith(`${String(call)}#`));
    const deadlineAt = this.random() < 0.2 ? this.now + 2000 : Infinity;
    if (hit !== undefined) {
      const token: Token = { type: "call", request, id: `${entity} ${hit}` };
      this.perform(at, replica.confirm({ acks: 2, token, deadlineAt }, this.now));
      return;
    }
    const says = `${String(call)}#${String(attempt)}`;
    const commit = commitThat(says, entity, nextId(replica, tip), tip.mark);
    const token: Token = { type: "call", request, id: `${entity} ${idOf(commit)}` };
    this.commitAt(at, tip, commit, { acks, token, deadlineAt });
    this.log?.(`     ${this.show(at)}`);
  }

  /** As a node does it: what was found once is used while it is served. */
  commitAt(at: number, tip: CommitSet, commit: Commit, waiter: Waiter & { token: Token }): void {
    const { id, replica } = this.process(at);
    const { entity } = commit;
    const place = `${id} ${entity}`;
    const slot = this.#slots.get(place);
    const isServed = slot?.isServed === true;
    if (isServed && slot.entity !== tip) {
      throw new Error("a slot serves what is not the newest form");
    }
    if (isServed && slot.commitAlone(commit)) {
      this.#observe(at, entity);
      this.#released(waiter.token, { type: "ok", copies: 1, degraded: false });
    } else {
      this.perform(at, replica.commit(commit, waiter, this.now));
      this.#slots.set(place, replica.servedSlot(entity));
    }
  }

  read(i: number, entity: string): boolean {
    const { up, paused, replica } = this.process(i);
    if (!up || paused || replica.serving !== "primary") return false;
    const held = replica.tip(entity, false)?.commits.keys() ?? [];
    const ids = [...held].map((id) => `${entity} ${id}`);
    const token: Token = { type: "read", ids };
    this.perform(i, replica.confirm({ acks: 2, token, deadlineAt: Infinity }, this.now));
    return true;
  }

  /** A read that a majority confirms to be no older than now. */
  readFresh(i: number, entity: string): boolean {
    const { up, paused, replica } = this.process(i);
    if (!up || paused || replica.serving !== "primary") return false;
    const held = replica.tip(entity, false)?.commits;
    const known = [...this.acknowledged.keys(), ...this.seen];
    const missed = known.find((name) => {
      const [of, id] = name.split(" ") as [string, string];
      return of === entity && held?.has(id) !== true;
    });
    const token: Token = { type: "fresh", missed };
    this.perform(i, replica.confirmTerm({ acks: 2, token, deadlineAt: Infinity }, this.now));
    return true;
  }

  send(call: Call, at: number): boolean {
    if (call.answer !== undefined || !this.process(at).up) return false;
    call.sent = true;
    call.attempt++;
    const { attempt, consent } = call;
    this.requests.push({ at, request: { call: call.call, attempt, consent, forwarded: false } });
    return true;
  }

  answer(index: number, lost: boolean): boolean {
    const [answer] = this.answers.splice(index, 1);
    if (answer === undefined) return false;
    const call = this.calls[answer.call]!;
    if (answer.says === "unavailable")
      this.notRun.add(`${String(call.call)}#${String(answer.attempt)}`);
    if (lost) return true;
    if (answer.says === "ok" || answer.says === "degraded") call.answer ??= answer.says;
    if (answer.says === "offered" && call.willing) call.consent = true;
    return true;
  }

  suspect(i: number, j: number, value: boolean): boolean {
    const row = this.suspects[i]!;
    if (row[j] === value) return false;
    row[j] = value;
    this.log?.(`${this.process(i).id} ${value ? "suspects" : "trusts"} ${String(j)}`);
    this.#touchPeers(i);
    return true;
  }

  cut(i: number, j: number, bothWays: boolean): boolean {
    if (this.links[i]?.[j] !== true) return false;
    this.log?.(`cut ${String(i)} ${bothWays ? "-" : ">"} ${String(j)}`);
    this.#drop(i, j);
    if (bothWays) this.#drop(j, i);
    this.#touchPeers(i);
    this.#touchPeers(j);
    return true;
  }

  #drop(i: number, j: number): void {
    this.links[i]![j] = false;
    this.queues[i]![j] = [];
    (this.senders[i] as unknown[][])[j] = [];
  }

  link(i: number, j: number): boolean {
    if (this.connected(i, j) && this.process(i).up) return false;
    if (!this.process(i).up || !this.process(j).up) return false;
    this.log?.(`link ${String(i)} - ${String(j)}`);
    this.links[i]![j] = true;
    this.links[j]![i] = true;
    this.perform(i, this.process(i).replica.linkUp(this.process(j).id));
    this.perform(j, this.process(j).replica.linkUp(this.process(i).id));
    this.#touchPeers(i);
    this.#touchPeers(j);
    return true;
  }

  crash(i: number): boolean {
    const process = this.process(i);
    if (!process.up || !this.armed) return false;
    this.log?.(`crash ${process.id}`);
    process.up = false;
    process.paused = false;
    this.armed = false;
    this.anyCrash = true;
    this.crashCount++;
    for (let j = 0; j < this.size; j++) {
      if (j === i) continue;
      this.#drop(j, i);
      this.links[i]![j] = false;
      this.suspects[i]![j] = false;
    }
    for (let at = this.requests.length - 1; at >= 0; at--) {
      if (this.requests[at]?.at === i) this.requests.splice(at, 1);
    }
    for (let j = 0; j < this.size; j++) if (j !== i) this.#touchPeers(j);
    return true;
  }

  restart(i: number): boolean {
    const { up, boot } = this.process(i);
    if (up) return false;
    this.log?.(`restart ${String(i)}`);
    this.#start(i, boot + 1);
    return true;
  }

  pause(i: number, value: boolean): boolean {
    const process = this.process(i);
    if (!process.up || process.paused === value) return false;
    process.paused = value;
    this.log?.(`${value ? "pause" : "resume"} ${process.id}`);
    if (!value && process.stale) this.#touchPeers(i);
    return true;
  }

  learn(i: number): boolean {
    const process = this.process(i);
    if (!process.up || process.paused || process.table === this.table) return false;
    process.table = this.table;
    this.log?.(`${process.id} learns table ${this.table.join(" ")}`);
    const nodes = this.table.map((j) => `n${String(j)}`);
    this.perform(i, process.replica.tableChanged(nodes, this.now));
    return true;
  }

  handOver(i: number): boolean {
    const { up, paused, replica } = this.process(i);
    if (!up || paused || replica.role !== "primary") return false;
    this.handoverCount++;
    this.log?.(`${this.process(i).id} hands over`);
    this.perform(i, replica.handOver(this.now));
    return true;
  }

  /** It is told that somebody has seen what another process shows, or what nobody can have seen. */
  catchUp(i: number, j: number): boolean {
    const { up, paused, replica } = this.process(i);
    const shown = this.process(j).replica.reads.shown;
    if (!up || paused || shown === undefined) return false;
    const position = this.random() < 0.1 ? 1e6 : shown.position;
    this.perform(i, replica.catchUp({ ...shown, position }, this.now));
    return true;
  }

  compare(i: number): boolean {
    const { up, paused, replica } = this.process(i);
    if (!up || paused) return false;
    this.perform(i, replica.compareCopies());
    return true;
  }

  #touchPeers(i: number): void {
    const process = this.process(i);
    process.stale = process.paused;
    if (!process.up || process.paused) return;
    this.perform(i, process.replica.peersChanged(this.now));
  }

  /** The newest up primary. */
  primary(): number {
    let best = -1;
    for (let i = 0; i < this.size; i++) {
      const { up, replica } = this.process(i);
      if (!up || replica.role !== "primary") continue;
      if (best < 0 || compareTerms(replica.term, this.process(best).replica.term) > 0) best = i;
    }
    return best;
  }

  /** The newest primary's owners are ≥ 3 (or all that are wanted), up, and all where it is. */
  isLevel(): boolean {
    const i = this.primary();
    if (i < 0) return false;
    const { replica } = this.process(i);
    if (replica.serving === "degraded") return false;
    const owners = replica.owners?.processes ?? [];
    if (owners.length < Math.min(3, this.table.length)) return false;
    const { standing, progress } = replica;
    return owners.every((owner) => {
      const there = this.process(this.indexOf(owner));
      return (
        there.up &&
        there.id === owner &&
        sameTerm(there.replica.standing.synced, standing.synced) &&
        there.replica.progress?.position === progress?.position
      );
    });
  }

  /** Level, and nobody knows a higher term. */
  isHealthy(): boolean {
    if (!this.isLevel()) return false;
    const { promised } = this.process(this.primary()).replica.standing;
    return this.processes.every(
      ({ up, replica }) => !up || compareTerms(replica.standing.promised, promised) <= 0,
    );
  }

  show(i: number): string {
    const { id, up, paused, replica } = this.process(i);
    const { promised, synced, owners, primary } = replica.standing;
    const term = (t: typeof promised): string => (t ? `${String(t.number)}${t.process}` : "-");
    const { position, committed } = replica.progress ?? { position: -1, committed: -1 };
    const state = [...replica.entityNames()].map((name) => {
      const commits = [...(replica.committedEntity(name)?.commits.values() ?? [])].join(" ");
      const tip = [...(replica.tip(name, false)?.commits.values() ?? [])].join(" ");
      return `${name}{${commits}|${tip}}`;
    });
    const at = `${id}${up ? "" : " DOWN"}${paused ? " PAUSED" : ""} ${replica.role}`;
    const serving = replica.serving ?? "-";
    return (
      `${at}/${serving} promised ${term(promised)} synced ${term(synced)}.${String(position)}` +
      `(${String(committed)}) owners ${owners.join(" ")} primary ${primary} ${state.join(" ")}` +
      ` fork ${String(replica.forkCommits)} next ${replica.nextTickAt.toFixed(0)}`
    );
  }
}
