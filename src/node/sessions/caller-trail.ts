/**
 * Where the calls of a client went: the entities that may keep results of them, so that these can be
 * forgotten when it says that it is done, without a search. Beyond the bound entities are not noted, and
 * forget by themselves what has been silent for long.
 */
import type { EntityAddress } from "../../functions/entity-address.ts";
import { entityName, type EntityName } from "../../model/ids.ts";
import type { CallMessage } from "../../wire/messages.ts";

/** Entities that are noted of one client. */
export const trailMax = 256;

export class CallerTrail {
  #caller = "";
  #last: EntityName = "";
  readonly #entities = new Set<EntityName>();
  /** Nothing more is to be noted, or nothing at all. */
  #isOver = false;

  /** Who makes the calls; "" while there are none, and when there are several. */
  get caller(): string {
    return this.#caller;
  }

  get entities(): ReadonlySet<EntityName> {
    return this.#entities;
  }

  /**
   * Notes a call under (caller, number).
   * @param known the address of its entity, where it was looked up already
   */
  note(call: CallMessage, known: EntityAddress | undefined): void {
    if (this.#isOver) return;
    if (call.caller !== this.#caller && !this.#begin(call.caller)) return;
    const name = known === undefined ? entityName(call.functionName, call.key) : known.name;
    if (name === this.#last) return;
    this.#last = name;
    this.#entities.add(name);
    if (this.#entities.size >= trailMax) this.#isOver = true;
  }

  /** Of our clients each is one caller; what others mean by several is not known here. */
  #begin(caller: string): boolean {
    const isFirst = this.#caller === "";
    this.#caller = isFirst ? caller : "";
    if (isFirst) return true;
    this.#isOver = true;
    this.#entities.clear();
    return false;
  }
}
