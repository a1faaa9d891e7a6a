/** Membership on the wire. Node ids and zones repeat, so they travel as slots. */
import { limits } from "../model/limits.ts";
import { bool, float, list, name, oneOf, struct, text, union, varint } from "./field.ts";
import type { Field } from "./field.ts";
import { addressBytesMax } from "./greeting-fields.ts";
import type { MembershipMessage, MemberUpdate } from "./membership-messages.ts";

const update: Field<MemberUpdate> = struct<MemberUpdate>({
  node: name,
  boot: varint,
  refutations: varint,
  status: oneOf(["alive", "suspect", "dead", "left", "gone"]),
  leaving: bool,
  restarts: varint,
  resting: bool,
  address: text(addressBytesMax),
  zone: name,
  weight: float,
  from: name,
});

const updates = list(update, limits.membersPerMessageMax);

export const membershipField: Field<MembershipMessage> = union<MembershipMessage>({
  ping: { code: 1, fields: { sequence: varint, target: name, updates } },
  ack: { code: 2, fields: { sequence: varint, clock: varint, clockSettled: bool, updates } },
  "ping-request": { code: 3, fields: { sequence: varint, target: name, updates } },
  nack: { code: 4, fields: { sequence: varint } },
  gossip: { code: 5, fields: { updates } },
  digest: { code: 6, fields: { digest: float, reply: bool } },
  state: { code: 7, fields: { members: updates, reply: bool } },
  "link-lost": { code: 8, fields: { node: name, boot: varint } },
});
