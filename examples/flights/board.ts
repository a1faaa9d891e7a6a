/** The busiest airports, live: watches them and says in one line how many flights left so far. */
import type { Client } from "latticework/client";
import type { Functions } from "./functions.ts";

const watched = ["DFW", "ORD", "ATL", "LAX", "PHX"];

export class Board {
  readonly #departures = new Map<string, number>();
  #isOpen = true;

  constructor(client: Client<Functions>) {
    for (const code of watched) void this.#watch(client, code);
  }

  /** For example `DFW 512  ORD 498`. */
  line(): string {
    return watched.map((code) => `${code} ${String(this.#departures.get(code) ?? 0)}`).join("  ");
  }

  /** Its watches end with their next change, or with the client. */
  close(): void {
    this.#isOpen = false;
  }

  async #watch(client: Client<Functions>, code: string): Promise<void> {
    for await (const { departures } of client.get("airport", code).watch()) {
      if (!this.#isOpen) return;
      this.#departures.set(code, departures);
    }
  }
}
