/** The handlers of a connection under test: they keep what happened, in order. */
import type { CloseReason, Connection, ConnectionHandlers } from "../../transport/transport.ts";

/** A connection whose events are kept in order and can be waited for. */
export class Recorder implements ConnectionHandlers {
  readonly frames: Uint8Array[] = [];
  readonly events: string[] = [];
  ended: { readonly code: number; readonly reason: CloseReason } | undefined;
  endCount = 0;
  #connection: Connection | undefined;
  #wanted: (() => void)[] = [];

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("no connection yet");
    return this.#connection;
  }

  set connection(connection: Connection) {
    this.#connection = connection;
  }

  /** How it ended, or "" while it has not. */
  get endType(): CloseReason["type"] | "" {
    return this.ended?.reason.type ?? "";
  }

  get endMessage(): string {
    return this.ended?.reason.message ?? "";
  }

  open(): void {
    this.#record("open");
  }

  frame(frame: Uint8Array): void {
    this.frames.push(frame);
    this.#record("frame");
  }

  drain(): void {
    this.#record("drain");
  }

  close(code: number, reason: CloseReason): void {
    this.ended = { code, reason };
    this.endCount += 1;
    this.#record(`close ${String(code)} ${reason.type}`);
  }

  /** Resolves when `condition` holds after an event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#wanted = this.#wanted.filter((each) => each !== check);
        resolve();
      };
      this.#wanted.push(check);
      check();
    });
  }

  opened(): Promise<void> {
    return this.until(() => this.events.includes("open") || this.ended !== undefined);
  }

  closed(): Promise<void> {
    return this.until(() => this.ended !== undefined);
  }

  #record(event: string): void {
    this.events.push(event);
    for (const check of [...this.#wanted]) check();
  }
}
