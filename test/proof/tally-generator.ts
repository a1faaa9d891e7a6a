/** The load generator of the proofs under load as the process that started it holds it. */
import { ForkedGenerator } from "../support/forked-generator.ts";
import type { BurstOrder, LoadOrder, LoadPlan, LoadReport, Lot } from "./tally-messages.ts";

const program = "test/proof/tally-load.ts";

export class TallyGenerator {
  readonly #forked: ForkedGenerator<LoadOrder, LoadReport>;
  /** The file of its record. */
  readonly record: string;

  private constructor(forked: ForkedGenerator<LoadOrder, LoadReport>, record: string) {
    this.#forked = forked;
    this.record = record;
  }

  /** Resolves when it is connected. */
  static async start(plan: LoadPlan): Promise<TallyGenerator> {
    const forked = await ForkedGenerator.start<LoadOrder, LoadReport>(program, plan);
    const { record } = await forked.reported("connected");
    return new TallyGenerator(forked, record);
  }

  /** Every entity is written once. */
  async preload(): Promise<void> {
    await this.#forked.order({ type: "preload" }, "preloaded");
  }

  async begin(): Promise<void> {
    await this.#forked.order({ type: "start" }, "started");
  }

  /** Resolves with when the signal was sent. */
  async burst(order: BurstOrder): Promise<number> {
    const { at } = await this.#forked.order({ type: "burst", ...order }, "burst");
    return at;
  }

  /** Resolves when half of it is over; the rest goes on. */
  async beginLot(lot: Lot): Promise<void> {
    await this.#forked.order({ type: "begin-lot", ...lot }, "lot-half-over");
  }

  async endLot(): Promise<void> {
    await this.#forked.order({ type: "end-lot" }, "lot-over");
  }

  /** Every call has ended and is in the record. */
  async stop(): Promise<void> {
    await this.#forked.order({ type: "stop" }, "stopped");
  }

  kill(): void {
    this.#forked.kill();
  }
}
