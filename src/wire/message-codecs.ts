/**
 * The bytes of messages by their kind. Here are those that clients and nodes write and read alike; what
 * one of them alone does is in `client-codecs.ts` and `node-codecs.ts`, so that clients carry no more.
 */
import { bool, compile } from "./field.ts";
import type { FieldsOf, Incoming, Outgoing } from "./field.ts";
import { goodbyeFields, helloFields, refusedFields, welcomeFields } from "./greeting-fields.ts";
import { messageCodes } from "./message-codes.ts";
import type { MessageType } from "./message-codes.ts";
import type { Message } from "./messages.ts";
import {
  cancelFields,
  changeFields,
  primariesFields,
  snapshotFields,
  tableFields,
  unwatchFields,
  watchEndFields,
  watchFields,
} from "./table-fields.ts";

type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

export interface MessageCodec {
  readonly code: number;
  write(to: Outgoing, message: Message): void;
  /** @throws MalformedBytes */
  read(from: Incoming): Message;
}

type CodecsByType = Readonly<
  Partial<Record<MessageType, MessageCodec>> & Record<"call" | "reply", MessageCodec>
>;

/** What one side of a connection can write and read. */
export interface Codecs {
  readonly byType: CodecsByType;
  /** By number. */
  readonly byCode: readonly (MessageCodec | undefined)[];
}

export const sharedCodecs = {
  hello: described<"hello">("hello", helloFields),
  welcome: described<"welcome">("welcome", welcomeFields),
  refused: described<"refused">("refused", refusedFields),
  goodbye: described<"goodbye">("goodbye", goodbyeFields),
  echo: described<"echo">("echo", { reply: bool }),
  cancel: described<"cancel">("cancel", cancelFields),
  table: described<"table">("table", tableFields),
  primaries: described<"primaries">("primaries", primariesFields),
  watch: described<"watch">("watch", watchFields),
  unwatch: described<"unwatch">("unwatch", unwatchFields),
  snapshot: described<"snapshot">("snapshot", snapshotFields),
  change: described<"change">("change", changeFields),
  "watch-end": described<"watch-end">("watch-end", watchEndFields),
};

export function tableOf(byType: CodecsByType): Codecs {
  const byCode: (MessageCodec | undefined)[] = new Array<undefined>(256).fill(undefined);
  for (const codec of Object.values(byType)) byCode[codec.code] = codec;
  return { byType, byCode };
}

export function described<T extends MessageType>(
  type: T,
  fields: FieldsOf<Omit<MessageOf<T>, "type">>,
): MessageCodec {
  return { code: messageCodes[type], ...compile<Message>(fields, type) };
}

/** The tables pair every type with its own functions, which the type of a codec cannot say. */
export function byHand<T extends MessageType>(
  type: T,
  write: (to: Outgoing, message: MessageOf<T>) => void,
  read: (from: Incoming) => MessageOf<T>,
): MessageCodec {
  return { code: messageCodes[type], write, read };
}
