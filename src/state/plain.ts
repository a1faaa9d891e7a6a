/** What watchers get: the whole state of an entity as plain values. */
import type { Plain, Shape } from "../definition/kinds.ts";
import type { Value } from "../model/value.ts";
import type { Entity } from "./entity.ts";
import { plainOfNode, recordOf } from "./plain-node.ts";
import { stateShape } from "./state-shape.ts";
import type { FieldShape } from "./state-shape.ts";

/**
 * A new object with one property per field that has a value; an extreme that nothing was observed
 * of has none. Frozen values of registers, sets and value maps are shared with earlier ones.
 */
export function plainOf<S extends Shape>(entity: Entity, shape: S): Plain<S> {
  const { fields } = stateShape(shape);
  return recordOf(
    fields.map((field) => [field.name, plainOfField(entity, field)]),
  ) as unknown as Plain<S>;
}

function plainOfField(entity: Entity, field: FieldShape): Value | undefined {
  if (field.kind.kind === "text") return entity.documents.text(field.name);
  return plainOfNode(field.kind, entity.contents.get(field.path[0]!));
}
