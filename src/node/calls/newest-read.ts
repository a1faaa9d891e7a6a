/**
 * A query of several owners (`readFrom: n`): the owner that has it asks so many owners, itself among them,
 * and passes on the answer of whoever had come furthest in the stream of the partition. Copies are prefixes
 * of one stream, so that answer shows everything that any of the others shows. Owners that were found behind
 * are told, and catch up at once.
 *
 * Only answers count whose copies name the same owners as the copy here, and every owner shows what it held
 * when it was asked. So whatever a majority had acknowledged by then is shown by one of every majority, also
 * while owners change: a majority of the old ones had to learn of that.
 */
import { sameBytes } from "../../codec/same-bytes.ts";
import { majority } from "../../model/acks.ts";
import { LatticeError } from "../../model/error.ts";
import { nodeOf, type NodeId, type PartitionId } from "../../model/ids.ts";
import { isNewerMark, isSameMark, type Mark } from "../../model/mark.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { Clock, Timer, Timers } from "../../platform/platform.ts";
import type { ReplicationEffect } from "../../replication/effect.ts";
import type { Replica } from "../../replication/replica.ts";
import { maxHops } from "../../routing/forward-decision.ts";
import {
  callFlags,
  readCountOf,
  replyFlags,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import type { Entity } from "../../state/entity.ts";
import { failureOf, noBytes, type CallUnderWay, type Origin } from "./served-call.ts";

/** When so many milliseconds were not enough for the owners that were asked, all others are asked too. */
const spareAfterMs = 100;
/** Of the time that is left; then it fails while its caller can still be told why. */
const patienceShare = 0.9;

/** The copies of partitions that this node has a part in. */
export interface Copies {
  replica(
    partition: PartitionId,
  ): Pick<Replica<Entity>, "reads" | "owners" | "catchUp"> | undefined;
  perform(partition: PartitionId, effects: readonly ReplicationEffect[]): void;
}

export interface NewestReadsOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly serving: Copies;
  readonly attempts: Attempts;
  /** Owners of a partition when there are enough nodes. */
  readonly replicas: number;
  /** Serves a call on this node. */
  readonly askHere: (call: CallMessage, origin: Origin) => CallUnderWay | undefined;
}

export class NewestReads {
  readonly #options: NewestReadOptions;
  /** Queries of several owners since the start. */
  count = 0;
  /** Owners among those that were told that they are behind. */
  toldCount = 0;

  constructor(options: NewestReadsOptions) {
    this.#options = { ...options, told: () => (this.toldCount += 1) };
  }

  /** Asks the owners; the end is told to `origin`, once. Returns it if it has not ended yet. */
  begin(call: CallMessage, address: EntityAddress, origin: Origin): CallUnderWay | undefined {
    this.count += 1;
    const read = new NewestRead(call, address, origin, this.#options);
    read.start();
    return read.isOver ? undefined : read;
  }
}

interface OwnerAnswer {
  readonly node: NodeId;
  readonly reply: ReplyMessage;
  /** It shows everything up to here. */
  readonly shown: Mark;
  readonly isCounted: boolean;
}

interface NewestReadOptions extends NewestReadsOptions {
  readonly told: () => void;
}

class NewestRead implements CallUnderWay {
  readonly #call: CallMessage;
  readonly #address: EntityAddress;
  readonly #origin: Origin;
  readonly #options: NewestReadOptions;
  /** Whom to ask, this node first; those in front are asked already. */
  readonly #owners: readonly NodeId[];
  readonly #needed: number;
  readonly #ownersSetAt: Mark | undefined;
  readonly #arrivedAt: number;
  #askedCount = 0;
  readonly #underWay = new Map<NodeId, () => void>();
  readonly #answers: OwnerAnswer[] = [];
  #lastFailure = "";
  #timers: readonly Timer[] = [];
  isOver = false;

  constructor(
    call: CallMessage,
    address: EntityAddress,
    origin: Origin,
    options: NewestReadOptions,
  ) {
    const { self, serving, clock, replicas } = options;
    this.#call = call;
    this.#address = address;
    this.#origin = origin;
    this.#options = options;
    this.#arrivedAt = clock.now();
    const replica = serving.replica(address.partition);
    this.#ownersSetAt = replica?.reads.ownersSetAt;
    this.#owners = startingAt(self, replica?.owners?.processes.map(nodeOf) ?? []);
    const count = readCountOf(call.flags);
    // Who asks for a majority means one; while owners change there may be more of them.
    const least = count > replicas / 2 ? majority(this.#owners.length) : 0;
    this.#needed = Math.min(Math.max(count, least), this.#owners.length);
  }

  start(): void {
    const { timers } = this.#options;
    this.#timers = [
      timers.after(spareAfterMs, () => {
        this.#ask(this.#owners.length);
      }),
      timers.after(this.#call.timeoutMs * patienceShare, () => {
        this.#fail();
      }),
    ];
    this.#ask(this.#needed);
  }

  cancel(): void {
    if (this.isOver) return;
    this.#end();
    this.#origin.done(this.#call.id);
  }

  /** Asks further owners until so many are. */
  #ask(count: number): void {
    while (!this.isOver && this.#askedCount < count) {
      const node = this.#owners[this.#askedCount]!;
      this.#askedCount += 1;
      this.#askOne(node);
    }
    this.#failIfOut();
  }

  #askOne(node: NodeId): void {
    const { self, attempts, askHere } = this.#options;
    const call = this.#question();
    this.#underWay.set(node, () => undefined);
    const stop =
      node === self
        ? askHere(call, {
            node: self,
            answer: (message) => this.#answered(node, message),
            done: nothing,
          })
        : stopOf(attempts, attempts.send(node, call, this.#attempt(node)));
    if (stop !== undefined && this.#underWay.has(node))
      this.#underWay.set(node, () => stop.cancel());
  }

  #attempt(node: NodeId): Attempt {
    return {
      answered: (message) => this.#answered(node, message),
      linkLost: () => this.#missed(node, `the link to ${node} broke`),
    };
  }

  /** No owner passes it on: its copy is what is asked for. */
  #question(): CallMessage {
    const { clock } = this.#options;
    const passedMs = clock.now() - this.#arrivedAt;
    return {
      ...this.#call,
      partition: this.#address.partition,
      hop: maxHops,
      flags: withoutReadCount(this.#call.flags) | callFlags.readCount,
      timeoutMs: Math.max(1, Math.ceil(this.#call.timeoutMs - passedMs)),
      seen: undefined,
    };
  }

  #answered(node: NodeId, message: ReplyMessage | FailureMessage): void {
    if (message.type === "failure") {
      this.#missed(node, message.message);
      return;
    }
    if (this.isOver) return;
    this.#underWay.delete(node);
    const [shown, ownersSetAt] = message.seen ?? [];
    if (shown === undefined || ownersSetAt === undefined) {
      this.#missed(node, `${node} did not tell how new its answer is`);
      return;
    }
    const isCounted = isSameMark(ownersSetAt.mark, this.#ownersSetAt);
    if (!isCounted) this.#lastFailure = `${node} names other owners`;
    this.#answers.push({ node, reply: message, shown: shown.mark, isCounted });
    if (this.#countedCount >= this.#needed) this.#finish();
    else if (!isCounted) this.#ask(this.#askedCount + 1);
    this.#failIfOut();
  }

  #missed(node: NodeId, why: string): void {
    if (this.isOver) return;
    this.#underWay.delete(node);
    this.#lastFailure = why;
    this.#ask(Math.min(this.#owners.length, this.#askedCount + 1));
  }

  get #countedCount(): number {
    return this.#answers.filter(({ isCounted }) => isCounted).length;
  }

  /** Nobody is left who could answer. */
  #failIfOut(): void {
    const isOut = this.#underWay.size === 0 && this.#askedCount >= this.#owners.length;
    if (isOut && !this.isOver) this.#fail();
  }

  #finish(): void {
    const newest = newestOf(this.#answers)!;
    const { seen, id } = this.#call;
    if (seen !== undefined && isNewerMark(seen, newest.shown)) {
      this.#lastFailure = "its session has seen what came later";
      this.#fail();
      return;
    }
    this.#tell(newest.shown, newest.reply);
    this.#end();
    this.#origin.done(id);
    this.#origin.answer(this.#passedOn(newest));
  }

  #fail(): void {
    const { self } = this.#options;
    const { functionName, key, operation, id, seen } = this.#call;
    const newest = newestOf(this.#answers);
    if (newest !== undefined) this.#tell(newest.shown, newest.reply);
    if (seen !== undefined) this.#tell(seen, undefined);
    const answered = `${String(this.#countedCount)} of ${String(this.#needed)} owners answered`;
    const last = this.#lastFailure === "" ? "" : `; last: ${this.#lastFailure}`;
    const error = new LatticeError(
      "unavailable",
      `${functionName}/${key} ${operation}: ${answered}${last}; try again later`,
      { node: self },
    );
    this.#end();
    this.#origin.done(id);
    this.#origin.answer(failureOf(id, error, self));
  }

  /** Read repair: whoever showed something older hears of `mark`. */
  #tell(mark: Mark, shown: ReplyMessage | undefined): void {
    const { self, serving, clock, attempts, told } = this.#options;
    for (const { node, reply, shown: before, isCounted } of this.#answers) {
      const isAlike = isCounted && shown !== undefined && sameBytes(reply.value, shown.value);
      if (isAlike || !isNewerMark(mark, before)) continue;
      told();
      if (node === self) catchUp(serving, this.#address.partition, mark, clock.now());
      else attempts.send(node, { ...this.#question(), input: noBytes, seen: mark }, unheard);
    }
  }

  /** As an answer to whoever asked. Its legs are those to this node. */
  #passedOn({ reply }: OwnerAnswer): ReplyMessage {
    const { id, hop, flags } = this.#call;
    const inSession = (flags & callFlags.session) !== 0;
    const [shown, , ...others] = reply.seen ?? [];
    return {
      ...reply,
      id,
      hops: hop,
      flags: inSession ? reply.flags : reply.flags & ~replyFlags.seen,
      seen: inSession && shown !== undefined ? [shown, ...others] : undefined,
    };
  }

  #end(): void {
    this.isOver = true;
    for (const timer of this.#timers) timer.cancel();
    for (const stop of this.#underWay.values()) stop();
    this.#underWay.clear();
  }
}

/** An owner that lacks what somebody has seen asks for it now. */
export function catchUp(serving: Copies, partition: PartitionId, seen: Mark, now: number): void {
  const replica = serving.replica(partition);
  if (replica !== undefined) serving.perform(partition, replica.catchUp(seen, now));
}

export function withoutReadCount(flags: number): number {
  return flags & ~(7 * callFlags.readCount);
}

/** Answers what was no question. */
export function emptyReply(id: number, node: NodeId): ReplyMessage {
  return { type: "reply", id, flags: 0, copies: 0, hops: 1, node, seen: undefined, value: noBytes };
}

/** Nobody waits for what an owner says to news. */
const unheard: Attempt = { answered: nothing, linkLost: nothing };

function stopOf(attempts: Attempts, id: number | undefined): CallUnderWay | undefined {
  return id === undefined ? undefined : { cancel: () => attempts.cancel(id) };
}

/** Each owner begins with itself, so that all are asked equally often. */
function startingAt(self: NodeId, owners: readonly NodeId[]): readonly NodeId[] {
  const at = Math.max(0, owners.indexOf(self));
  return [...owners.slice(at), ...owners.slice(0, at)];
}

function newestOf(answers: readonly OwnerAnswer[]): OwnerAnswer | undefined {
  let newest: OwnerAnswer | undefined;
  for (const answer of answers) {
    if (newest === undefined || isNewerMark(answer.shown, newest.shown)) newest = answer;
  }
  return newest;
}

function nothing(): void {
  return;
}
