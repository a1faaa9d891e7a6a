/**
 * The control of the replay: a caller without protection, as plain ones are. It takes answers before
 * replication, and sends again whatever may have been lost: calls of unknown outcome, calls without
 * an answer in time, though the copy sent first may still run, and after the loss of a node the
 * last calls that this node answered.
 */
import { LatticeError, type Reply } from "latticework";
import type { Client } from "latticework/client";
import type { Flight, Functions } from "./functions.ts";

/** First time to wait for an answer, in milliseconds; each further copy is given twice as long. */
const patienceMs = 250;
/** So many of its last answers are not trusted when a node is lost. */
const doubtedCount = 64;
/** Longest time of one copy; a takeover takes a fraction of it. */
const callTimeoutMs = 60_000;

export class CarelessCaller {
  readonly #client: Client<Functions>;
  /** The last flights answered, by the node that did. */
  readonly #lastAnswers = new Map<string, Flight[]>();
  /** Copies that nobody waits for any more, but which still run. */
  readonly #copies: Promise<unknown>[] = [];
  #resentCount = 0;

  constructor(client: Client<Functions>) {
    this.#client = client;
  }

  /** Copies that were sent beside the first one of their flight. */
  get resentCount(): number {
    return this.#resentCount;
  }

  /** Resolves with the first answer that came in time. */
  async depart(flight: Flight): Promise<Reply<void>> {
    for (let waitMs = patienceMs; ; waitMs *= 2) {
      const reply = await inTime(this.#send(flight), waitMs);
      if (reply !== undefined) {
        this.#remember(flight, reply.node);
        return reply;
      }
      this.#resentCount += 1;
    }
  }

  /** Sends again what that node answered last: answers before replication are lost with it. */
  nodeLost(node: string): void {
    for (const flight of this.#lastAnswers.get(node) ?? []) {
      this.#resentCount += 1;
      this.#copies.push(this.depart(flight));
    }
  }

  /** Resolves when no copy runs any more. */
  async settled(): Promise<void> {
    while (this.#copies.length > 0) await Promise.all(this.#copies.splice(0));
  }

  /** One copy; `undefined` when it failed in a way that calls for another. */
  #send(flight: Flight): Promise<Reply<void> | undefined> {
    const copy = this.#client
      .get("airport", flight.origin)
      .with({ acks: 1, timeoutMs: callTimeoutMs })
      .with({ reply: "full" })
      .depart(flight)
      .catch((error: unknown) => {
        if (error instanceof LatticeError && (error.indeterminate || error.retryable)) {
          return undefined;
        }
        throw error;
      });
    this.#copies.push(copy);
    return copy;
  }

  #remember(flight: Flight, node: string): void {
    const answers = this.#lastAnswers.get(node);
    if (answers === undefined) this.#lastAnswers.set(node, [flight]);
    else if (answers.push(flight) > doubtedCount) answers.shift();
  }
}

/** `undefined` when it fails, and when `waitMs` pass first. */
async function inTime<T>(copy: Promise<T | undefined>, waitMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const isOver = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, waitMs, undefined);
  });
  try {
    return await Promise.race([copy, isOver]);
  } finally {
    clearTimeout(timer);
  }
}
