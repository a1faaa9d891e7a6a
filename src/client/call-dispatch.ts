/**
 * Brings calls to links in the order in which they were made: at once where a link has room, else
 * behind what waits for that link, else, while no node can be reached, behind what waits for any.
 */
import { nextHybridTime } from "../model/time.ts";
import type { PartitionId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import type { Clock } from "../platform/platform.ts";
import type { RoutingTable } from "../routing/routing-table.ts";
import type { SessionMarks } from "../routing/session-marks.ts";
import type { CallAttempts } from "./call-attempts.ts";
import { CallLine } from "./call-line.ts";
import type { NodeLink } from "./node-link.ts";
import type { NodeLinks } from "./node-links.ts";
import { OutgoingCall } from "./outgoing-call.ts";
import type { PendingCall } from "./pending-call.ts";
import type { UnsettledCalls } from "./unsettled-calls.ts";

export interface CallDispatchOptions {
  readonly clock: Clock;
  readonly table: RoutingTable;
  readonly links: NodeLinks;
  readonly unsettled: UnsettledCalls<PendingCall>;
  /** The caller id of this client. */
  readonly caller: string;
  readonly session: SessionMarks | undefined;
  readonly random: Random;
}

export class CallDispatch {
  readonly #clock: Clock;
  readonly #table: RoutingTable;
  readonly #links: NodeLinks;
  readonly #unsettled: UnsettledCalls<PendingCall>;
  readonly #caller: string;
  readonly #session: SessionMarks | undefined;
  readonly #random: Random;
  #outgoing: OutgoingCall | undefined;
  /** Calls that wait for one link: for its hand shake, or for room. */
  readonly #lines = new Map<NodeLink, CallLine>();
  /** Calls for which no node can be reached now. */
  readonly #parked = new CallLine(undefined);

  constructor(options: CallDispatchOptions) {
    const { clock, table, links, unsettled, caller, session, random } = options;
    this.#clock = clock;
    this.#table = table;
    this.#links = links;
    this.#unsettled = unsettled;
    this.#caller = caller;
    this.#session = session;
    this.#random = random;
  }

  /** Sends a call to the best node there is, or lets it wait for one. */
  send(call: PendingCall, now: number): void {
    const mustPark = !this.#parked.isEmpty && !this.#links.isConnected;
    const link = mustPark ? undefined : this.#linkFor(call);
    if (link === undefined) {
      this.#parked.push(call);
      return;
    }
    call.toPrimary = !call.isStateless && this.#links.isPrimary(call.partition, link);
    this.sendTo(call, link, now);
  }

  /** Sends a call by this link, when it has room. */
  sendTo(call: PendingCall, link: NodeLink, now: number): void {
    call.link = link;
    // Most of the time nothing waits anywhere, and that is all there is to look at.
    const line = this.#lines.size === 0 ? undefined : this.#lines.get(link);
    if (line !== undefined) line.push(call);
    else if (link.hasRoom) this.#write(call, link, now);
    else this.#lineOf(link).push(call);
  }

  /** A query that any owner may answer begins with one by chance, and goes on like every call. */
  #linkFor(call: PendingCall): NodeLink | undefined {
    const { partition, tried } = call;
    if (call.isStateless) return this.#links.nextReady(tried);
    const owner = call.readsAny && tried.length === 0 ? this.#anyOwner(partition) : undefined;
    return owner ?? this.#links.route(partition, tried);
  }

  #anyOwner(partition: PartitionId): NodeLink | undefined {
    return this.#links.routeToAny(partition, this.#random);
  }

  /** A link has room again: sends what waits there. */
  drained(link: NodeLink): void {
    const line = this.#lines.size === 0 ? undefined : this.#lines.get(link);
    if (line === undefined) return;
    const now = this.#clock.now();
    while (link.hasRoom) {
      const call = line.next();
      if (call === undefined) {
        this.#lines.delete(link);
        return;
      }
      this.#write(call, link, now);
    }
  }

  /** A link is gone: what waits there goes elsewhere by other ways. */
  forget(link: NodeLink): void {
    this.#lines.delete(link);
  }

  /** Calls that wait for a node may find one; those that wait too long for a link go elsewhere. */
  routesChanged(): void {
    if (!this.#links.isConnected) return;
    const moving: PendingCall[] = [];
    empty(this.#parked, moving);
    for (const link of [...this.#lines.keys()]) {
      if (!link.isReady && !link.isPromising) this.#empty(link, moving);
    }
    // Among those that move and those that wait where they may go to, the oldest goes first.
    for (const link of [...this.#lines.keys()]) {
      if (!link.isReady) continue;
      if (moving.length > 0) this.#empty(link, moving);
      else this.drained(link);
    }
    moving.sort((a, b) => a.sequence - b.sequence);
    const now = this.#clock.now();
    for (const call of moving) if (!call.isOver) this.send(call, now);
  }

  #lineOf(link: NodeLink): CallLine {
    const line = new CallLine(link);
    this.#lines.set(link, line);
    return line;
  }

  #empty(link: NodeLink, into: PendingCall[]): void {
    const line = this.#lines.get(link);
    if (line !== undefined) empty(line, into);
    this.#lines.delete(link);
  }

  close(): void {
    empty(this.#parked, []);
    this.#lines.clear();
  }

  #write(call: PendingCall, link: NodeLink, now: number): void {
    const { attempts } = call;
    if (attempts?.keepsAge === true && attempts.ageTime === 0) this.#giveAge(call, attempts, now);
    this.#outgoing ??= new OutgoingCall(this.#caller, call, this.#session);
    const outgoing = this.#outgoing;
    outgoing.call = call;
    outgoing.tableId = this.#table.tableId >>> 0;
    outgoing.timeoutMs = Math.max(1, Math.ceil(call.deadlineAt - now));
    outgoing.received = call.number === 0 ? 0 : this.#unsettled.received(call);
    call.isSent = true;
    call.wasSent = true;
    link.send(outgoing);
    link.noteSent(call.input.length);
  }

  /** Wait–die needs one age for all attempts of a call: that of its start. */
  #giveAge(call: PendingCall, attempts: CallAttempts, now: number): void {
    attempts.ageTime = nextHybridTime(0, this.#clock.wallNow() - (now - call.startedAt));
    attempts.ageId = `${this.#caller}.${String(call.sequence)}`;
  }
}

function empty(line: CallLine, into: PendingCall[]): void {
  for (let call = line.next(); call !== undefined; call = line.next()) into.push(call);
}
