/**
 * Who may change a node of state in place: the copy of an entity that made it. A clone shares all
 * nodes, so from then on neither side is the owner of any of them. A number and not an object, so
 * that a node costs none and holds on to none.
 */
export type Owner = number;

export const nobody: Owner = 0;

let lastOwner: Owner = nobody;

/** One that nothing is marked with yet. */
export function newOwner(): Owner {
  lastOwner += 1;
  return lastOwner;
}
