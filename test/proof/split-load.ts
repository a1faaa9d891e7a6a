/** The calls of `split-merge`: before the split, while it is noticed, and on both sides of it. */
import type { Reply } from "latticework";
import type { Client } from "latticework/client";
import type { CopyWanted } from "../../scripts/cluster/copy-report.ts";
import type { CallRecord } from "../support/record-file.ts";
import type { Recorder } from "../support/recorder.ts";
import type { Functions } from "./functions/notes.ts";
import type { Side } from "./judges/split-story.ts";

export interface Entity extends CopyWanted {
  readonly functionName: "note" | "ledger";
}

export interface StandingEntity extends Entity {
  readonly majority: Side;
  readonly served: readonly Side[];
}

const sides: readonly Side[] = ["A", "B"];
/** Longer than a takeover after a silent loss. */
const callTimeoutMs = 20_000;
/** A call that cannot be served is refused at the end of its time: the client goes on trying. */
const refusedTimeoutMs = 600;
const noticeTimeoutMs = 45_000;
/** Edits of each kind, per entity and side. */
const editsPerKind = 3;

export class SplitLoad {
  readonly #clients: Readonly<Record<Side, Client<Functions>>>;
  readonly #recorder: Recorder;
  readonly #entities: readonly Entity[];
  #calls = 0;

  constructor(
    clients: Readonly<Record<Side, Client<Functions>>>,
    recorder: Recorder,
    entities: readonly Entity[],
  ) {
    this.#clients = clients;
    this.#recorder = recorder;
    this.#entities = entities;
  }

  /** A text, a count and three tags that all owners hold before the split. */
  async setUp(): Promise<void> {
    await this.#onAll(async (entity) => {
      await this.#make("before", entity, "append", "·base·");
      await this.#make("before", entity, "add", 1);
      if (entity.functionName === "ledger") return;
      for (const tag of ["kept", "gone", "again"]) {
        await this.#make("before", entity, "tag", tag);
      }
    });
  }

  /** Every key has been answered, or refused as it should be, on every side. */
  async untilNoticed(entities: readonly StandingEntity[]): Promise<void> {
    await Promise.all(
      entities.flatMap((entity) => sides.map((side) => this.#untilNoticed(entity, side))),
    );
  }

  /** Resolves with all the calls made, once they have ended. */
  async writeOnBothSides(entities: readonly StandingEntity[]): Promise<CallRecord[]> {
    const made = await Promise.all(
      entities.flatMap((entity) => sides.map((side) => this.#write(entity, side))),
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
    const giveUpAt = this.#recorder.now() + noticeTimeoutMs;
    const shouldServe = isServed(entity, side);
    while (this.#recorder.now() < giveUpAt) {
      const { answer } = await this.#make(side, entity, "touch", this.#recorder.now());
      const isAsItShouldBe =
        answer.type === "ok" ? shouldServe : !shouldServe && !answer.indeterminate;
      if (isAsItShouldBe) return;
    }
    throw new Error(`side ${side} has not noticed the split for ${nameOf(entity)} in 45 s`);
  }

  async #write(entity: StandingEntity, side: Side): Promise<CallRecord[]> {
    const made: CallRecord[] = [];
    const edit = entity.functionName === "note" && side === "B" ? "prepend" : "append";
    for (let n = 0; n < editsPerKind; n++) {
      made.push(await this.#make(side, entity, edit, `[${side}${String(n)}]`));
      made.push(await this.#make(side, entity, "add", 1));
    }
    if (entity.functionName === "ledger") return made;
    const tags: readonly (readonly [string, string])[] =
      side === "A"
        ? [
            ["untag", "gone"],
            ["untag", "again"],
          ]
        : [["tag", "again"]];
    for (const [operation, tag] of tags) {
      made.push(await this.#make(side, entity, operation, tag));
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
    const isSure = from === "before" || (operation !== "touch" && isServed(entity, from));
    const timeoutMs = isSure ? callTimeoutMs : refusedTimeoutMs;
    const handle = this.#handle(from === "before" ? "A" : from, entity, timeoutMs);
    return this.#recorder.make(call, () => handle(operation, input));
  }

  #handle(
    side: Side,
    { functionName, key }: Entity,
    timeoutMs = callTimeoutMs,
  ): (operation: string, input: unknown) => Promise<Reply<unknown>> {
    // The operations differ between the two functions; here they are named by data.
    const handle = this.#clients[side]
      .get(functionName, key)
      .with({ timeoutMs })
      .with({ reply: "full" }) as unknown as Record<
      string,
      (input: unknown) => Promise<Reply<unknown>>
    >;
    return (operation, input) => handle[operation]!(input);
  }

  #onAll<T>(run: (entity: Entity) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#entities.map(run));
  }
}

/** Whether this side is to serve it while the network is split. */
function isServed(entity: Entity | StandingEntity, side: Side): boolean {
  if (!("majority" in entity)) return true;
  return entity.functionName === "ledger" ? entity.majority === side : entity.served.includes(side);
}

function nameOf({ functionName, key }: Entity): string {
  return `${functionName}/${key}`;
}
