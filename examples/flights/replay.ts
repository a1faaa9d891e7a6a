/** Replays the flights: one call per record, many at once, each sent until its outcome is known. */
import { LatticeError } from "latticework";
import type { Client } from "latticework/client";
import type { Flight, Functions } from "./functions.ts";

export interface ReplayOptions {
  /** Calls in flight at once. */
  readonly concurrency: number;
  /** Called after every answer. */
  readonly progress: (answered: number) => void;
  /** Told of every call once it was answered; for a record outside the cluster. */
  readonly record?: (answered: AnsweredCall) => void;
  /**
   * Control: take answers before replication, and send again without protection whatever may have
   * been lost: calls of unknown outcome, and after a loss the last ones that the lost node answered.
   */
  readonly careless?: boolean;
}

/** Times in milliseconds since the start of this process. */
export interface AnsweredCall {
  readonly flight: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly node: string;
  readonly copies: number;
  readonly degraded: boolean;
}

export interface ReplayResult {
  readonly answered: number;
  /** Calls that this program had to send again, because their outcome was unknown. */
  readonly resent: number;
  readonly degraded: number;
}

/** So many of its last answers a careless caller does not trust. */
const doubtedCount = 256;
/** Longest time of one call; a takeover takes a fraction of it. */
const callTimeoutMs = 60_000;

export class Replay {
  readonly #client: Client<Functions>;
  readonly #flights: readonly Flight[];
  readonly #options: ReplayOptions;
  /** The last flights answered, by which node; kept by a careless caller. */
  readonly #lastAnswers: { readonly flight: Flight; readonly node: string }[] = [];
  readonly #again: Promise<void>[] = [];
  #next = 0;
  #inFlight = 0;
  #answered = 0;
  #resent = 0;
  #degraded = 0;

  constructor(client: Client<Functions>, flights: readonly Flight[], options: ReplayOptions) {
    this.#client = client;
    this.#flights = flights;
    this.#options = options;
  }

  /** Calls sent and not answered. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get answered(): number {
    return this.#answered;
  }

  /** Resolves when every call has been answered. */
  async run(): Promise<ReplayResult> {
    const callers = Array.from({ length: this.#options.concurrency }, () => this.#callInTurn());
    await Promise.all(callers);
    await Promise.all(this.#again);
    return { answered: this.#answered, resent: this.#resent, degraded: this.#degraded };
  }

  /** A node is lost: a careless caller sends again what that node answered last. */
  nodeLost(node: string): void {
    if (this.#options.careless !== true) return;
    const doubted = this.#lastAnswers.filter((answer) => answer.node === node);
    for (const { flight } of doubted) {
      this.#resent += 1;
      this.#again.push(this.#depart(flight));
    }
  }

  async #callInTurn(): Promise<void> {
    for (;;) {
      const flight = this.#flights[this.#next++];
      if (flight === undefined) return;
      this.#inFlight += 1;
      await this.#depart(flight);
      this.#inFlight -= 1;
      this.#answered += 1;
      this.#options.progress(this.#answered);
    }
  }

  async #depart(flight: Flight): Promise<void> {
    const { careless = false, record } = this.#options;
    const handle = this.#client
      .get("airport", flight.origin)
      .with({ timeoutMs: callTimeoutMs, ...(careless ? { acks: 1 } : {}) })
      .with({ reply: "full" });
    const sentAt = performance.now();
    for (;;) {
      try {
        const { node, copies, degraded } = await handle.depart(flight);
        if (degraded) this.#degraded += 1;
        if (careless) this.#remember(flight, node);
        const answeredAt = performance.now();
        record?.({ flight: flight.number, sentAt, answeredAt, node, copies, degraded });
        return;
      } catch (error) {
        // With protection the client itself retries until it knows; the control retries blindly.
        const again = error instanceof LatticeError && (error.indeterminate || error.retryable);
        if (!careless || !again) throw error;
        this.#resent += 1;
      }
    }
  }

  #remember(flight: Flight, node: string): void {
    this.#lastAnswers.push({ flight, node });
    if (this.#lastAnswers.length > doubtedCount) this.#lastAnswers.shift();
  }
}
