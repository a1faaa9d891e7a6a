/**
 * What functions without state run on: an entity that is never anything, is served always and everywhere,
 * and that nobody waits for.
 */
import { assert } from "../model/assert.ts";
import type { Acks } from "../model/acks.ts";
import type { HybridTime } from "../model/time.ts";
import { Entity } from "../state/entity.ts";
import type { EntityAddress, OpenEntity } from "./entity-address.ts";
import type { Confirmed, Release, Store } from "./ports.ts";

const done: Release = { type: "ok", copies: 0, degraded: false };

export class StatelessStore implements Store {
  readonly #store: Pick<Store, "timeAt">;
  readonly #nothing: OpenEntity = {
    entity: Entity.create("(stateless)"),
    writer: 1,
    usedUp: 0,
    degraded: false,
    copiesMax: Infinity,
    reign: {},
  };

  /** @param store has the time */
  constructor(store: Pick<Store, "timeAt">) {
    this.#store = store;
  }

  open(): OpenEntity {
    return this.#nothing;
  }

  openCopy(): OpenEntity {
    return this.#nothing;
  }

  /** A session has seen nothing of what is nothing. */
  hasSeen(): boolean {
    return true;
  }

  markOf(): undefined {
    return undefined;
  }

  commit(): void {
    assert(false, "a function without state has changed something");
  }

  confirm(_address: EntityAddress, _acks: Acks, turn: Confirmed): void {
    turn.released(done);
  }

  confirmTerm(_address: EntityAddress, _acks: Acks, turn: Confirmed): void {
    turn.released(done);
  }

  standingOf(): undefined {
    return undefined;
  }

  /** No stamp: a node serves such functions before it knows the time of its cluster. */
  hybridTime(now: number): HybridTime {
    return this.#store.timeAt(now);
  }

  timeAt(now: number): HybridTime {
    return this.#store.timeAt(now);
  }
}
