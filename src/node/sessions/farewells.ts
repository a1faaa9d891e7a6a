/**
 * Forgets clients that are done: their results leave the dedupe tables of the entities that they called,
 * some at a time. It is tried once; what fails is forgotten when its caller has been silent for long.
 */
import type { EntityName } from "../../model/ids.ts";
import type { Logger } from "../../platform/platform.ts";
import type { CallerTrail } from "./caller-trail.ts";

/** Entities that are told at once. */
const underWayMax = 32;
/** Entities that wait for it; more are left to their callers' silence. */
export const farewellsMax = 4_096;

export interface FarewellsOptions {
  readonly logger: Logger;
  /** Takes what is kept of these callers out of an entity, wherever it is led. */
  forget(entity: EntityName, callers: readonly string[]): Promise<void>;
}

export class Farewells {
  readonly #options: FarewellsOptions;
  /** Whom to forget where. */
  readonly #waiting = new Map<EntityName, string[]>();
  #underWayCount = 0;

  constructor(options: FarewellsOptions) {
    this.#options = options;
  }

  /** Entities that have not been told yet. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** A client is done: all that it ever sent has been answered, and nothing of it can come any more. */
  take({ caller, entities }: Pick<CallerTrail, "caller" | "entities">): void {
    if (caller === "") return;
    for (const entity of entities) {
      const callers = this.#waiting.get(entity);
      if (callers !== undefined) callers.push(caller);
      else if (this.#waiting.size < farewellsMax) this.#waiting.set(entity, [caller]);
    }
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

  async #forget(entity: EntityName, callers: readonly string[]): Promise<void> {
    try {
      await this.#options.forget(entity, callers);
    } catch (error) {
      const { logger } = this.#options;
      logger.debug("callers that are done are not forgotten yet", { entity, error });
    } finally {
      this.#underWayCount -= 1;
      this.#goOn();
    }
  }
}
