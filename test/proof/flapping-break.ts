/** A network between two sides that goes down and comes up again by the clock. */
import type { ProxiedNetwork, Sides } from "../support/proxied-network.ts";
import type { Break } from "./split-episode.ts";

export class FlappingBreak implements Break {
  readonly #sides: Sides;
  readonly #periodMs: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param periodMs for so long it is down, and then for so long up */
  constructor(sides: Sides, periodMs: number) {
    this.#sides = sides;
    this.#periodMs = periodMs;
  }

  /** It goes down at once, with all its connections. */
  begin(network: ProxiedNetwork): number {
    let isDown = true;
    this.#timer = setInterval(() => {
      isDown = !isDown;
      if (isDown) network.split(this.#sides, "reset");
      else network.heal();
    }, this.#periodMs);
    return network.split(this.#sides, "reset");
  }

  end(network: ProxiedNetwork): void {
    clearInterval(this.#timer);
    network.heal();
  }
}
