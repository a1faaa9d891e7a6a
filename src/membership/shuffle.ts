import type { Random } from "../model/random.ts";
import { randomBelow } from "../model/random.ts";

/** Fisher and Yates's shuffle, in place. */
export function shuffle<T>(items: T[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomBelow(random, last + 1);
    const held = items[last] as T;
    items[last] = items[other] as T;
    items[other] = held;
  }
}
