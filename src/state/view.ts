/** Reading an entity outside of turns. */
import type { Shape, View } from "../definition/kinds.ts";
import type { Entity } from "./entity.ts";
import { Scope } from "./scope.ts";
import { FieldDrafts, stateShape } from "./state-shape.ts";

/**
 * What queries hold: reads through to `entity` as it is at each read. Writing throws
 * `failed_precondition`.
 */
export function viewOf<S extends Shape>(entity: Entity, shape: S): View<S> {
  const ready = stateShape(shape);
  return ready.stateOf(new FieldDrafts(new Scope(entity, 0), ready), false) as unknown as View<S>;
}
