import type { Message } from "./messages.ts";

export type MessageType = Message["type"];

/** The number of every message. Numbers are never given to another message. */
export const messageCodes: Readonly<Record<MessageType, number>> = {
  hello: 1,
  welcome: 2,
  refused: 3,
  goodbye: 4,
  echo: 5,
  call: 16,
  reply: 17,
  failure: 18,
  cancel: 19,
  table: 32,
  primaries: 33,
  watch: 34,
  unwatch: 35,
  snapshot: 36,
  change: 37,
  "watch-end": 38,
  membership: 48,
  replication: 49,
};
