/**
 * Delivers what turns have sent. It is told which committed calls stand in the outboxes of the
 * entities that this node leads, and sees to it that each is answered once and then taken out:
 *
 *     update ─▶ lane (sender, target) ─▶ deliver ─▶ answered ─▶ confirm: a commit on the sender
 *                  one at a time, in order     └▶ not answered: again, after a back-off
 *
 * A crash anywhere delivers again, which the target's dedupe table absorbs; so nothing here has to
 * be remembered, and a new primary starts from what the outboxes hold.
 */
import type { LatticeError } from "../model/error.ts";
import { entityName } from "../model/ids.ts";
import type { EntityName } from "../model/ids.ts";
import type { Platform } from "../platform/platform.ts";
import type { OutboxEntry } from "../state/outbox.ts";
import { compareSends } from "../state/send.ts";
import { backOffMs, backOffMsMin, isFinal } from "./redelivery.ts";

/** How calls leave, and how they are taken out of the outbox. */
export interface OutboxPort {
  /** Makes the call once; `done` is called once. `attempt` counts from 1. */
  deliver(
    sender: EntityName,
    entry: OutboxEntry,
    attempt: number,
    done: (end: DeliveryEnd) => void,
  ): void;
  /**
   * Commits on the sender that these calls are over. `done` is told how many copies hold that; with
   * `undefined` it is not known to be committed. `refused` are among `over`, and are to be kept for inspection.
   */
  confirm(
    sender: EntityName,
    over: readonly OutboxEntry[],
    refused: readonly RefusedSend[],
    done: (copies: number | undefined) => void,
  ): void;
  /** So many copies hold that these are over, and none of them was made again meanwhile. */
  settled(sender: EntityName, over: readonly OutboxEntry[], copies: number): void;
  /** Nobody waits any more for the end of a delivery that is under way. */
  abandoned(sender: EntityName, entry: OutboxEntry): void;
  /** A target refused for good: the event `outbox.failed`. */
  refused(sender: EntityName, refused: RefusedSend): void;
}

/** `undefined`: it has taken effect. */
export type DeliveryEnd = LatticeError | undefined;

export interface RefusedSend {
  readonly entry: OutboxEntry;
  readonly error: LatticeError;
}

/** Calls under way at once. */
export const deliveriesMax = 256;

export class OutboxDelivery {
  readonly #platform: Pick<Platform, "timers" | "random">;
  readonly #port: OutboxPort;
  readonly #senders = new Map<EntityName, Sender>();
  /** Lanes whose next call may go out. */
  #ready: Lane[] = [];
  #underWayCount = 0;
  #isGoingOn = false;
  #depth = 0;
  #deliveredCount = 0;
  #redeliveredCount = 0;
  #refusedCount = 0;

  constructor(platform: Pick<Platform, "timers" | "random">, port: OutboxPort) {
    this.#platform = platform;
    this.#port = port;
  }

  /** Calls that are not yet known to be out of their outboxes. */
  get depth(): number {
    return this.#depth;
  }

  /** Calls that took effect, those made again included once. */
  get deliveredCount(): number {
    return this.#deliveredCount;
  }

  /** Calls that were made more than once, each time after the first counted. */
  get redeliveredCount(): number {
    return this.#redeliveredCount;
  }

  get refusedCount(): number {
    return this.#refusedCount;
  }

  /**
   * Tells the whole outbox of an entity that this node leads, as far as it is committed. Call it
   * when the node begins to lead the entity and whenever its committed outbox may have changed. It
   * is walked beside what was told before, since an entity that sends much calls this very often.
   *
   * @param entries in the order of `Outbox.entries`
   */
  update(name: EntityName, entries: readonly OutboxEntry[]): void {
    let sender = this.#senders.get(name);
    if (sender === undefined) {
      if (entries.length === 0) return;
      sender = new Sender(name);
      this.#senders.set(name, sender);
    }
    const { told } = sender;
    const next: Sent[] = [];
    let at = 0;
    for (const entry of entries) {
      while (at < told.length && compareSends(told[at]!.entry, entry) < 0) this.#end(told[at++]!);
      const isKnown = at < told.length && compareSends(told[at]!.entry, entry) === 0;
      next.push(isKnown ? told[at++]! : this.#add(sender, entry));
    }
    while (at < told.length) this.#end(told[at++]!);
    // Before anything goes out: a call to the sender itself may come back here.
    sender.told = next;
    if (next.length === 0 && !sender.isConfirming) this.#forget(sender);
    this.#goOn();
  }

  /** This node no longer leads the entity: whoever does goes on. */
  drop(name: EntityName): void {
    const sender = this.#senders.get(name);
    if (sender === undefined) return;
    this.#depth -= sender.told.length;
    this.#forget(sender);
  }

  /** Whatever of it is still under way concerns nobody: the entity may soon send anew. */
  #forget(sender: Sender): void {
    this.#senders.delete(sender.name);
    sender.isDropped = true;
    for (const { underWay } of sender.lanes.values()) {
      if (underWay !== undefined) this.#port.abandoned(sender.name, underWay);
    }
  }

  /** Drops everything. */
  stop(): void {
    for (const name of [...this.#senders.keys()]) this.drop(name);
  }

  #add(sender: Sender, entry: OutboxEntry): Sent {
    const sent = { entry, isGone: false };
    this.#depth += 1;
    const target = entityName(entry.functionName, entry.key);
    let lane = sender.lanes.get(target);
    if (lane === undefined) {
      lane = { sender, target, waiting: [], attempt: 0, underWay: undefined };
      sender.lanes.set(target, lane);
    }
    lane.waiting.push(sent);
    if (lane.waiting.length === 1) this.#ready.push(lane);
    return sent;
  }

  /** It is out of the outbox. */
  #end(sent: Sent): void {
    sent.isGone = true;
    this.#depth -= 1;
  }

  #makeReady(lane: Lane): void {
    this.#ready.push(lane);
    this.#goOn();
  }

  /** What ends while it goes out comes back here, and is left to the loop that is under way. */
  #goOn(): void {
    if (this.#isGoingOn) return;
    this.#isGoingOn = true;
    try {
      while (this.#underWayCount < deliveriesMax) {
        const lane = this.#ready.shift();
        if (lane === undefined) return;
        if (!lane.sender.isDropped) this.#deliver(lane);
      }
    } finally {
      this.#isGoingOn = false;
    }
  }

  #deliver(lane: Lane): void {
    const { sender } = lane;
    const sent = nextWaiting(lane);
    if (sent === undefined) {
      sender.lanes.delete(lane.target);
      return;
    }
    lane.attempt += 1;
    if (lane.attempt > 1) this.#redeliveredCount += 1;
    this.#underWayCount += 1;
    lane.underWay = sent.entry;
    this.#port.deliver(sender.name, sent.entry, lane.attempt, (end) => {
      this.#underWayCount -= 1;
      lane.underWay = undefined;
      if (!sender.isDropped) this.#delivered(lane, sent, end);
      this.#goOn();
    });
  }

  #delivered(lane: Lane, sent: Sent, end: DeliveryEnd): void {
    if (end !== undefined && !isFinal(end)) {
      const delayMs = (end.retryAfterMs ?? 0) + backOffMs(lane.attempt, this.#platform.random);
      this.#platform.timers.after(delayMs, () => {
        if (!lane.sender.isDropped) this.#makeReady(lane);
      });
      return;
    }
    if (end === undefined) this.#deliveredCount += 1;
    else this.#refuse(lane.sender, { entry: sent.entry, error: end });
    lane.waiting.shift();
    lane.attempt = 0;
    if (lane.waiting.length > 0) this.#ready.push(lane);
    else lane.sender.lanes.delete(lane.target);
    lane.sender.over.push(sent);
    this.#confirmSoon(lane.sender);
  }

  #refuse(sender: Sender, refused: RefusedSend): void {
    this.#refusedCount += 1;
    sender.refused.push(refused);
    this.#port.refused(sender.name, refused);
  }

  /** One commit for all that ends in one go. */
  #confirmSoon(sender: Sender): void {
    if (sender.isConfirming) return;
    sender.isConfirming = true;
    this.#platform.timers.defer(() => {
      this.#confirm(sender);
    });
  }

  #confirm(sender: Sender): void {
    if (sender.isDropped) return;
    const { over, refused } = sender;
    sender.over = [];
    sender.refused = [];
    const entries = over.map(({ entry }) => entry);
    this.#port.confirm(sender.name, entries, refused, (copies) => {
      // What it had sent may be on its way once more, if this node leads it again.
      if (sender.isDropped) return;
      sender.isConfirming = false;
      if (copies !== undefined) {
        this.#port.settled(sender.name, entries, copies);
        sender.confirmAttempt = 0;
        if (sender.over.length > 0) this.#confirmSoon(sender);
        else if (sender.told.length === 0) this.#forget(sender);
        return;
      }
      sender.over = [...over.filter(({ isGone }) => !isGone), ...sender.over];
      sender.refused = [...refused, ...sender.refused];
      this.#confirmLater(sender);
    });
  }

  #confirmLater(sender: Sender): void {
    if (sender.over.length === 0) return;
    sender.isConfirming = true;
    sender.confirmAttempt += 1;
    const delayMs = backOffMsMin + backOffMs(sender.confirmAttempt, this.#platform.random);
    this.#platform.timers.after(delayMs, () => {
      this.#confirm(sender);
    });
  }
}

/** One call that stands, or stood, in the committed outbox. */
interface Sent {
  readonly entry: OutboxEntry;
  /** Out of the outbox, whoever took it out. */
  isGone: boolean;
}

/** An entity with an outbox. */
class Sender {
  readonly name: EntityName;
  /** What stands in the committed outbox as far as it was told, in its order. */
  told: readonly Sent[] = [];
  readonly lanes = new Map<EntityName, Lane>();
  /** Answered, and still in the outbox. */
  over: Sent[] = [];
  refused: RefusedSend[] = [];
  isConfirming = false;
  confirmAttempt = 0;
  isDropped = false;

  constructor(name: EntityName) {
    this.name = name;
  }
}

/** What one entity sends to one other, in order; the first is under way, ready or backing off. */
interface Lane {
  readonly sender: Sender;
  readonly target: EntityName;
  readonly waiting: Sent[];
  /** Of the first one. */
  attempt: number;
  underWay: OutboxEntry | undefined;
}

/** Skips what was taken out by somebody else meanwhile. */
function nextWaiting(lane: Lane): Sent | undefined {
  for (;;) {
    const sent = lane.waiting[0];
    if (sent?.isGone !== true) return sent;
    lane.waiting.shift();
    lane.attempt = 0;
  }
}
