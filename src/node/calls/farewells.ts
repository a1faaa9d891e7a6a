/**
 * Forgets callers that are done, clients and senders: their results leave the dedupe tables of the
 * entities that they called, some at a time. It is tried once; what fails is forgotten when its caller
 * has been silent for long.
 */
import { forgetInput, forgetOperation } from "../../functions/caller-operation.ts";
import type { DoneCaller } from "../../functions/caller-operation.ts";
import type { EntityName } from "../../model/ids.ts";
import type { Logger } from "../../platform/platform.ts";
import { callersMax } from "../../state/dedupe.ts";
import type { NodeCaller } from "./node-caller.ts";

/** Entities that are told at once. */
const underWayMax = 32;
/** Entities that wait for it; more are left to their callers' silence. */
export const farewellsMax = 4_096;

export class Farewells {
  readonly #calls: Pick<NodeCaller, "change">;
  readonly #logger: Logger;
  /** Whom to forget where. */
  readonly #waiting = new Map<EntityName, DoneCaller[]>();
  #underWayCount = 0;

  /** @param calls reach an entity wherever it is led */
  constructor(calls: Pick<NodeCaller, "change">, logger: Logger) {
    this.#calls = calls;
    this.#logger = logger;
  }

  /** Entities that have not been told yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Nothing of these callers can come to the entity any more, as far as they say. */
  say(entity: EntityName, done: readonly DoneCaller[]): void {
    const callers = this.#waiting.get(entity);
    if (callers === undefined) {
      if (this.#waiting.size >= farewellsMax) return;
      this.#waiting.set(entity, [...done]);
    } else if (callers.length < callersMax) callers.push(...done);
    this.#goOn();
  }

  stop(): void {
    this.#waiting.clear();
  }

  #goOn(): void {
    while (this.#underWayCount < underWayMax) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const [entity, callers] = next;
      this.#waiting.delete(entity);
      this.#underWayCount += 1;
      void this.#forget(entity, callers);
    }
  }

  async #forget(entity: EntityName, callers: readonly DoneCaller[]): Promise<void> {
    try {
      await this.#calls.change(entity, forgetOperation, forgetInput(callers), {
        isProtected: false,
      });
    } catch (error) {
      this.#logger.debug("callers that are done are not forgotten yet", { entity, error });
    } finally {
      this.#underWayCount -= 1;
      this.#goOn();
    }
  }
}
