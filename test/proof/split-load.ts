/** The calls of proofs that break the network: before, while it is noticed, and on both sides. */
import { setTimeout as wait } from "node:timers/promises";
import type { Reply } from "latticework";
import type { Client } from "latticework/client";
import type { CopyWanted } from "../../scripts/cluster/copy-report.ts";
import type { CallRecord } from "../support/record-file.ts";
import type { Recorder } from "../support/recorder.ts";
import type { Functions } from "./functions/notes.ts";
import type { Side, Standing } from "./judges/split-story.ts";

export interface Entity extends CopyWanted {
  readonly functionName: "note" | "ledger";
}

export interface StandingEntity extends Entity {
  readonly majority: Side;
  readonly served: readonly Side[];
}

export interface SplitLoadOptions {
  readonly clients: Readonly<Record<Side, Client<Functions>>>;
  readonly recorder: Recorder;
  readonly entities: readonly Entity[];
  readonly standing: Standing;
}

const sides: readonly Side[] = ["A", "B"];
/** As long as calls have by default, and longer than it takes to drop a silent connection. */
const callTimeoutMs = 30_000;
/** A call that cannot be served is refused at the end of its time: the client goes on trying. */
const refusedTimeoutMs = 600;
const noticeTimeoutMs = 45_000;
/** Edits of each kind, per entity and side. */
const editsPerKind = 3;

/** Between two rounds of edits of one entity on one side, once the first ones are done. */
const roundMs = 1_000;

export class SplitLoad {
  readonly #options: SplitLoadOptions;
  #calls = 0;

  constructor(options: SplitLoadOptions) {
    this.#options = options;
  }

  /** A text, a count, three tags and three fields that all owners hold before the split. */
  async setUp(): Promise<void> {
    await this.#onAll(async (entity) => {
      await this.#make("before", entity, "append", "·base·");
      await this.#make("before", entity, "add", 1);
      if (entity.functionName === "ledger") return;
      for (const tag of ["kept", "gone", "again"]) {
        await this.#make("before", entity, "tag", tag);
        await this.#make("before", entity, "put", { name: tag, value: "before" });
      }
    });
  }

  /** Every key has been answered, or refused as it should be, on every side. */
  async untilNoticed(entities: readonly StandingEntity[]): Promise<void> {
    await Promise.all(
      entities.flatMap((entity) => sides.map((side) => this.#untilNoticed(entity, side))),
    );
  }

  /**
   * Every side edits everything, and goes on until then, in milliseconds of the recorder. Resolves
   * with all the calls made, once they have ended.
   */
  async writeOnBothSides(
    entities: readonly StandingEntity[],
    untilAt: number,
  ): Promise<CallRecord[]> {
    const made = await Promise.all(
      entities.flatMap((entity) => sides.map((side) => this.#write(entity, side, untilAt))),
    );
    return made.flat();
  }

  /** The careless caller of the control. */
  async sendDegradedAgain(calls: readonly CallRecord[]): Promise<void> {
    const degraded = calls.filter(({ answer }) => answer.type === "ok" && answer.degraded);
    for (const { functionName, key, operation, input } of degraded) {
      const handle = this.#handle("B", { functionName: functionName as "note", key });
      await handle(operation, input);
    }
  }

  async #untilNoticed(entity: StandingEntity, side: Side): Promise<void> {
    const giveUpAt = this.#options.recorder.now() + noticeTimeoutMs;
    const shouldServe = this.#isServed(entity, side);
    while (this.#options.recorder.now() < giveUpAt) {
      const { answer } = await this.#make(side, entity, "touch", this.#options.recorder.now());
      const isAsItShouldBe =
        answer.type === "ok" ? shouldServe : !shouldServe && !answer.indeterminate;
      if (isAsItShouldBe) return;
    }
    throw new Error(`side ${side} has not noticed the split for ${nameOf(entity)} in 45 s`);
  }

  async #write(entity: StandingEntity, side: Side, untilAt: number): Promise<CallRecord[]> {
    const { recorder } = this.#options;
    const made: CallRecord[] = [];
    const edit = entity.functionName === "note" && side === "B" ? "prepend" : "append";
    const round = async (n: number): Promise<void> => {
      made.push(await this.#make(side, entity, edit, `[${side}${String(n)}]`));
      made.push(await this.#make(side, entity, "add", 1));
      if (entity.functionName === "ledger") return;
      const value = `${side}${String(n)}`;
      made.push(await this.#make(side, entity, "put", { name: "shared", value }));
    };
    for (let n = 0; n < editsPerKind; n++) await round(n);
    if (entity.functionName === "note") {
      for (const [operation, input] of elementEdits(side)) {
        made.push(await this.#make(side, entity, operation, input));
      }
    }
    for (let n = editsPerKind; recorder.now() < untilAt; n++) {
      await round(n);
      await wait(Math.min(roundMs, Math.max(0, untilAt - recorder.now())));
    }
    return made;
  }

  /** `from` is the side that calls; "before": the network is whole, and side A calls. */
  #make(
    from: Side | "before",
    entity: Entity | StandingEntity,
    operation: string,
    input: unknown,
  ): Promise<CallRecord> {
    this.#calls += 1;
    const { functionName, key } = entity;
    const call = { call: `c${String(this.#calls)}`, functionName, key, operation, input, from };
    const isSure = from === "before" || (operation !== "touch" && this.#isServed(entity, from));
    const timeoutMs = isSure ? callTimeoutMs : refusedTimeoutMs;
    const handle = this.#handle(from === "before" ? "A" : from, entity, timeoutMs);
    return this.#options.recorder.make(call, () => handle(operation, input));
  }

  #handle(
    side: Side,
    { functionName, key }: Entity,
    timeoutMs = callTimeoutMs,
  ): (operation: string, input: unknown) => Promise<Reply<unknown>> {
    // The operations differ between the two functions; here they are named by data.
    const handle = this.#options.clients[side]
      .get(functionName, key)
      .with({ timeoutMs })
      .with({ reply: "full" }) as unknown as Record<
      string,
      (input: unknown) => Promise<Reply<unknown>>
    >;
    return (operation, input) => handle[operation]!(input);
  }

  /** Whether this side is to serve it while the network is broken. */
  #isServed(entity: Entity | StandingEntity, side: Side): boolean {
    if (this.#options.standing !== "apart" || !("majority" in entity)) return true;
    const { functionName, majority, served } = entity;
    return functionName === "ledger" ? majority === side : served.includes(side);
  }

  #onAll<T>(run: (entity: Entity) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#options.entities.map(run));
  }
}

/** One side removes what the other one leaves alone, or adds again. */
function elementEdits(side: Side): readonly (readonly [string, unknown])[] {
  if (side === "B") {
    return [
      ["tag", "again"],
      ["put", { name: "again", value: "B" }],
    ];
  }
  return ["gone", "again"].flatMap((name) => [
    ["untag", name],
    ["drop", name],
  ]);
}

function nameOf({ functionName, key }: Entity): string {
  return `${functionName}/${key}`;
}
