/**
 * All connections of one transport and the one timer that checks them. The timer runs only while
 * there are connections, so it never keeps a process alive by itself.
 */
import type { Timer, Timers } from "../../platform/platform.ts";
import type { ConnectionLimits, WebSocketConnection } from "./websocket-connection.ts";

export interface ConnectionTimes {
  readonly maxBufferedBytes: number;
  readonly stuckMs: number;
  readonly silentMs: number;
  readonly pongTimeoutMs: number;
}

const roundMsMax = 1000;
/** A time limit is at least so many rounds, so that it is met within a quarter of itself. */
const roundsPerLimit = 4;

export class ConnectionSet {
  readonly limits: ConnectionLimits;
  readonly #timers: Timers;
  readonly #roundMs: number;
  readonly #connections = new Set<WebSocketConnection>();
  #timer: Timer | undefined;

  constructor(timers: Timers, times: ConnectionTimes) {
    const { stuckMs, silentMs, pongTimeoutMs } = times;
    this.#timers = timers;
    this.#roundMs = Math.min(
      roundMsMax,
      Math.min(stuckMs, silentMs, pongTimeoutMs) / roundsPerLimit,
    );
    this.limits = {
      maxBufferedBytes: times.maxBufferedBytes,
      stuckRounds: Math.ceil(stuckMs / this.#roundMs),
      silentRounds: Math.ceil(silentMs / this.#roundMs),
      pongRounds: Math.ceil(pongTimeoutMs / this.#roundMs),
    };
  }

  get size(): number {
    return this.#connections.size;
  }

  add(connection: WebSocketConnection): void {
    this.#connections.add(connection);
    this.#timer ??= this.#timers.after(this.#roundMs, this.#round);
  }

  readonly remove = (connection: WebSocketConnection): void => {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  };

  readonly #round = (): void => {
    this.#timer = this.#timers.after(this.#roundMs, this.#round);
    for (const connection of this.#connections) connection.check();
  };
}
