/** Replays the flights: one call per record, many at once, each until its outcome is known. */
import type { Reply } from "latticework";
import type { Client } from "latticework/client";
import { CarelessCaller } from "./careless-caller.ts";
import type { Flight, Functions } from "./functions.ts";

export interface ReplayOptions {
  /** Calls in flight at once. */
  readonly concurrency: number;
  /** Called after every answer. */
  readonly progress: (answered: number) => void;
  /** Told of every call once it was answered; for a record outside the cluster. */
  readonly record?: (answered: AnsweredCall) => void;
  /** Control: take answers before replication, and send again without protection. */
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

/** Longest time of one call; a takeover takes a fraction of it. */
const callTimeoutMs = 60_000;

export class Replay {
  readonly #client: Client<Functions>;
  readonly #flights: readonly Flight[];
  readonly #options: ReplayOptions;
  readonly #careless: CarelessCaller | undefined;
  #next = 0;
  #inFlight = 0;
  #answered = 0;
  #degraded = 0;

  constructor(client: Client<Functions>, flights: readonly Flight[], options: ReplayOptions) {
    this.#client = client;
    this.#flights = flights;
    this.#options = options;
    this.#careless = options.careless === true ? new CarelessCaller(client) : undefined;
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
    await this.#careless?.settled();
    const resent = this.#careless?.resentCount ?? 0;
    return { answered: this.#answered, resent, degraded: this.#degraded };
  }

  /** A node is lost: a careless caller does not trust what it answered last. */
  nodeLost(node: string): void {
    this.#careless?.nodeLost(node);
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
    const sentAt = performance.now();
    const reply = await (this.#careless?.depart(flight) ?? this.#departProtected(flight));
    const answeredAt = performance.now();
    const { node, copies, degraded } = reply;
    if (degraded) this.#degraded += 1;
    this.#options.record?.({ flight: flight.number, sentAt, answeredAt, node, copies, degraded });
  }

  /** The client itself retries until it knows. */
  #departProtected(flight: Flight): Promise<Reply<void>> {
    return this.#client
      .get("airport", flight.origin)
      .with({ timeoutMs: callTimeoutMs, reply: "full" })
      .depart(flight);
  }
}
