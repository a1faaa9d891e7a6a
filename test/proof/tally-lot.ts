/**
 * A lot of calls: a closed loop, in which every answer makes room for the next call. So many are in
 * flight at any time, and it is over when all are, however long the cluster takes.
 */
import type { Lot } from "./tally-messages.ts";

/** Makes one call each; resolved when that is over, whatever came of it. */
export interface LotCalls {
  load(): Promise<void>;
  careless(): Promise<void>;
  refusal(isProtected: boolean): Promise<void>;
}

/** Protected calls in flight at once. */
const concurrency = 256;

export class TallyLot {
  /** Half of its calls have been made and are over. */
  readonly halfOver: Promise<void>;
  readonly over: Promise<void>;
  readonly #size: number;
  #overCount = 0;
  #isHalfOver!: () => void;

  constructor({ calls, careless, refusals }: Lot, make: LotCalls) {
    this.#size = calls + careless + refusals;
    this.halfOver = new Promise((resolve) => (this.#isHalfOver = resolve));
    const share = (count: number): number => Math.ceil((concurrency * count) / calls);
    let refused = 0;
    this.over = Promise.all([
      this.#loop(calls, concurrency, () => make.load()),
      this.#loop(careless, share(careless), () => make.careless()),
      this.#loop(refusals, share(refusals), () => make.refusal(refused++ % 2 === 0)),
    ]).then(() => undefined);
  }

  async #loop(count: number, atOnce: number, call: () => Promise<void>): Promise<void> {
    let made = 0;
    const worker = async (): Promise<void> => {
      while (made < count) {
        made += 1;
        await call();
        this.#overCount += 1;
        if (this.#overCount * 2 >= this.#size) this.#isHalfOver();
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
}
