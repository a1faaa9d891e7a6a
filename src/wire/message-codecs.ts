/** The bytes of the messages that clients exchange with nodes; those of nodes alone are in `node-codecs.ts`. */
import {
  readCall,
  readFailure,
  readReply,
  writeCall,
  writeFailure,
  writeReply,
} from "./call-codec.ts";
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

/** What one side of a connection can write and read. */
export interface Codecs {
  readonly byType: Readonly<Partial<Record<MessageType, MessageCodec>>>;
  /** By number. */
  readonly byCode: readonly (MessageCodec | undefined)[];
}

export const sharedCodecs: Codecs = tableOf({
  hello: described<"hello">("hello", helloFields),
  welcome: described<"welcome">("welcome", welcomeFields),
  refused: described<"refused">("refused", refusedFields),
  goodbye: described<"goodbye">("goodbye", goodbyeFields),
  echo: described<"echo">("echo", { reply: bool }),
  call: byHand<"call">("call", writeCall, readCall),
  reply: byHand<"reply">("reply", writeReply, readReply),
  failure: byHand<"failure">("failure", writeFailure, readFailure),
  cancel: described<"cancel">("cancel", cancelFields),
  table: described<"table">("table", tableFields),
  primaries: described<"primaries">("primaries", primariesFields),
  watch: described<"watch">("watch", watchFields),
  unwatch: described<"unwatch">("unwatch", unwatchFields),
  snapshot: described<"snapshot">("snapshot", snapshotFields),
  change: described<"change">("change", changeFields),
  "watch-end": described<"watch-end">("watch-end", watchEndFields),
});

export function tableOf(byType: Codecs["byType"]): Codecs {
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

/** The map above pairs every type with its own functions, which the type of a codec cannot say. */
function byHand<T extends MessageType>(
  type: T,
  write: (to: Outgoing, message: MessageOf<T>) => void,
  read: (from: Incoming) => MessageOf<T>,
): MessageCodec {
  return { code: messageCodes[type], write, read };
}
