/**
 * Names that turns make for what they ask. A turn that runs again asks again under the same name, which
 * therefore tells the way of the ask: every way from one call of a client leads to a name of its own.
 *
 *     X            a client, or an outbox
 *     X⇥A          asks made by entity A, in a turn that X called: begins a family
 *     X⇥A⏎1⇥B      asks made by B, in a turn that the first ask of A called: of the same family
 *
 * Whoever called A says which answers of A it has received, and by that what no turn of A will ask for
 * any more, itself or by others. So a family has one `received`: without it an entity would keep a
 * result for every way on which it was ever asked.
 */

/** Names of entities have no tabs and line breaks, so that no two ways have one name. */
const asks = "\t";
const askedBy = "\n";

/** All names but those of asks are of a family of their own. */
export function familyOf(caller: string): string {
  const end = caller.indexOf(askedBy);
  return end < 0 ? caller : caller.slice(0, end);
}

/** Whether there may be other names of its family. */
export function hasFamily(caller: string): boolean {
  return caller.includes(asks);
}

export function areFamily(one: string, other: string): boolean {
  return hasFamily(one) && hasFamily(other) && familyOf(one) === familyOf(other);
}

/** Who asks, in a turn that `caller` called. */
export function firstAsker(caller: string, asking: string): string {
  return `${caller}${asks}${asking}`;
}

/** Who asks, in a turn that was asked itself, by the ask with this ordinal of `caller`. */
export function nextAsker(caller: string, ordinal: number, asking: string): string {
  return `${caller}${askedBy}${String(ordinal)}${asks}${asking}`;
}
