/**
 * Who a call from an outbox comes from: the sending entity and the writer that numbers its sends,
 * in one string that takes the place of a client's caller id (`@k3f…:cart/alice`).
 */
import type { EntityName, WriterId } from "../model/ids.ts";

const mark = "@";

export function outboxCaller(entity: EntityName, writer: WriterId): string {
  return `${mark}${writer.toString(36)}:${entity}`;
}

/** The sending entity, or `undefined` when `caller` is a client's. */
export function outboxSender(caller: string): EntityName | undefined {
  if (!caller.startsWith(mark)) return undefined;
  const colon = caller.indexOf(":");
  return colon < 0 ? undefined : caller.slice(colon + 1);
}
