/**
 * The load generator of `sessions`, a process of its own: chains of clients that hand one token on. Each
 * client goes on where the one before it was, reads everything at once from whichever owner is at hand,
 * waits a while, writes, reads what it wrote, writes once more, and hands on at once what it has seen:
 *
 *   connect({ token }) ─▶ read all ─▶ wait ─▶ hit some, read these ─▶ hit ─▶ client.token() ─▶ the next
 *
 * Every other client stays with one node, which passes on what it does not own; the others dial all. Half
 * of the chains are hasty: they give up a call sooner than a stopped node goes on.
 * Usage: forked with a `SessionPlan` as its only argument, ordered by IPC (`session-messages.ts`).
 */
import { setTimeout as wait } from "node:timers/promises";
import { LatticeError, type ReadFrom, type Reply } from "latticework";
import { connect, type Client } from "latticework/client";
import { monotonicMs } from "../support/monotonic.ts";
import { RecordFile } from "../support/record-file.ts";
import { answerOf } from "../support/recorder.ts";
import type { Functions } from "./functions/pages.ts";
import {
  ownKey,
  sharedKey,
  type SessionOrder,
  type SessionPlan,
  type SessionRecord,
  type SessionReport,
} from "./session-messages.ts";

const patientTimeoutMs = 10_000;
const hastyTimeoutMs = 1_000;
const connectTimeoutMs = 5_000;
/** A client has links to all nodes by then; owners that lag have not caught up. */
const linksMs = 60;
/** Of the reads after everything else, when everybody is well again. */
const lastTimeoutMs = 30_000;
/** Reads of a key when a client begins: with two of them more owners are asked while it still matters. */
const readsAtOnce = 2;
/** The same of the key that was hit just before: an owner that lags has not heard of that yet. */
const readsOfNewest = 6;
/** The share of reads that go to the primary: it may be one that has been replaced meanwhile. */
const primaryShare = 1 / 8;
const hitsPerHold = 8;
/** The share of hits that are made by another page's handler. */
const askedShare = 1 / 4;

const totals = { calls: 0, reads: 0, handOns: 0, refusedConnects: 0, longestToken: 0 };
/** Clients that say goodbye while their chain goes on. */
const closing = new Set<Promise<void>>();

/** One client of a chain. */
interface Holder {
  readonly client: Client<Functions>;
  readonly direct: boolean;
  readonly number: number;
}

type Told = Pick<SessionRecord, "operation" | "key" | "input" | "readFrom">;

class Chain {
  readonly #plan: SessionPlan;
  readonly #record: RecordFile;
  readonly #number: number;
  readonly #keys: readonly string[];
  readonly #timeoutMs: number;
  #token: string | undefined;
  #holders = 0;
  #newest = "";
  #isLast = false;

  constructor(plan: SessionPlan, record: RecordFile, number: number) {
    this.#plan = plan;
    this.#record = record;
    this.#number = number;
    this.#timeoutMs = number % 2 === 0 ? patientTimeoutMs : hastyTimeoutMs;
    const own = Array.from({ length: plan.ownKeys }, (_, n) => ownKey(number, n));
    this.#keys = [...own, ...Array.from({ length: plan.sharedKeys }, (_, n) => sharedKey(n))];
  }

  /** Hands on and on; after `isOver` one client more reads everything once. */
  async run(isOver: () => boolean): Promise<void> {
    // Not all at once.
    await wait((this.#number * this.#plan.holdMs) / this.#plan.chains);
    while (!isOver()) {
      const holder = await this.#connect();
      const begunAt = monotonicMs();
      // It calls the one node that it has reached, until it has reached the others too.
      if (holder.direct) await wait(linksMs);
      await this.#readAll(holder);
      await wait(Math.max(0, begunAt + this.#plan.holdMs - monotonicMs()));
      await this.#hitSome(holder);
      this.#newest = this.#anyKey();
      await this.#hit(holder, this.#newest);
      this.#handOn(holder);
    }
    this.#isLast = true;
    const last = await this.#connect();
    await Promise.all(this.#keys.map((key) => this.#read(last, key, "any")));
    this.#handOn(last);
  }

  async #connect(): Promise<Holder> {
    const { addresses, handsOn } = this.#plan;
    for (;;) {
      const number = ++this.#holders;
      const direct = number % 2 === 1;
      const node = addresses[(this.#number + (number >> 1)) % addresses.length]!;
      const token = handsOn ? this.#token : undefined;
      const session = token === undefined ? { session: true } : { token };
      try {
        const client = await connect<Functions>({
          ...{ nodes: direct ? addresses : [node], direct, timeoutMs: connectTimeoutMs },
          ...session,
        });
        return { client, direct, number };
      } catch (error) {
        if (!(error instanceof LatticeError && error.code === "unavailable")) throw error;
        totals.refusedConnects += 1;
      }
    }
  }

  #handOn({ client }: Holder): void {
    this.#token = client.token();
    totals.handOns += 1;
    totals.longestToken = Math.max(totals.longestToken, this.#token.length);
    const closed = client.close().finally(() => closing.delete(closed));
    closing.add(closed);
  }

  async #readAll(holder: Holder): Promise<void> {
    const reads = this.#keys.flatMap((key) =>
      Array.from({ length: key === this.#newest ? readsOfNewest : readsAtOnce }, () => {
        return this.#read(holder, key, Math.random() < primaryShare ? "primary" : "any");
      }),
    );
    await Promise.all(reads);
  }

  async #hitSome(holder: Holder): Promise<void> {
    const hit = new Set<string>();
    while (hit.size < hitsPerHold) hit.add(this.#anyKey());
    const hits = [...hit].map(async (key) => {
      await this.#hit(holder, key);
      await this.#read(holder, key, "any");
    });
    await Promise.all(hits);
  }

  async #hit(holder: Holder, key: string): Promise<void> {
    const by = this.#anyKey();
    if (by === key || Math.random() >= askedShare) {
      const hit = this.#handle(holder, key).hit();
      await this.#note(holder, { operation: "hit", key, input: undefined }, hit);
    } else {
      const hit = this.#handle(holder, by).hitOther(key);
      await this.#note(holder, { operation: "hitOther", key, input: by }, hit);
    }
  }

  async #read(holder: Holder, key: string, readFrom: ReadFrom): Promise<void> {
    const read = this.#handle(holder, key).with({ readFrom }).hits();
    await this.#note(holder, { operation: "hits", key, input: undefined, readFrom }, read);
  }

  #handle({ client }: Holder, key: string) {
    const timeoutMs = this.#isLast ? lastTimeoutMs : this.#timeoutMs;
    return client.get("page", key).with({ timeoutMs, reply: "full" });
  }

  #anyKey(): string {
    return this.#keys[Math.floor(Math.random() * this.#keys.length)]!;
  }

  async #note(holder: Holder, told: Told, call: Promise<Reply<number>>): Promise<void> {
    const sentAt = monotonicMs();
    totals.calls += 1;
    const name = `c${String(totals.calls)}`;
    let value: number | undefined;
    const reply = call.then((full) => {
      value = full.value;
      return full;
    });
    const answer = await answerOf(reply);
    const answeredAt = monotonicMs();
    if (told.operation === "hits" && answer.type === "ok") totals.reads += 1;
    const { direct, number } = holder;
    const line: SessionRecord = {
      ...{ call: name, functionName: "page", from: direct ? "direct" : "staying" },
      ...{ chain: this.#number, holder: number, direct, last: this.#isLast },
      ...{ ...told, sentAt, answeredAt, answer },
      ...(value === undefined ? {} : { value }),
    };
    this.#record.add(line);
  }
}

function report(message: SessionReport): void {
  process.send?.(message);
}

const plan = JSON.parse(process.argv[2] ?? "") as SessionPlan;
const record = await RecordFile.create("sessions");
let isOver = false;
/** A chain that cannot go on ends this process, as nobody catches it, and with it its parent's wait. */
let ended: Promise<unknown> = Promise.resolve();

async function obey({ type }: SessionOrder): Promise<void> {
  switch (type) {
    case "start": {
      const chains = Array.from({ length: plan.chains }, (_, n) => new Chain(plan, record, n));
      ended = Promise.all(chains.map((chain) => chain.run(() => isOver)));
      report({ type: "started" });
      return;
    }
    case "count":
      report({ type: "counted", reads: totals.reads });
      return;
    case "stop": {
      isOver = true;
      await ended;
      await Promise.all(closing);
      await record.close();
      const { handOns, refusedConnects, longestToken } = totals;
      report({ type: "stopped", handOns, refusedConnects, longestToken });
      process.disconnect();
    }
  }
}

process.on("message", (order: SessionOrder) => void obey(order));
process.once("disconnect", () => process.exit());
report({ type: "ready", record: record.file });
