/** The number and the bytes of every message. Numbers are never given to another message. */
import {
  readCall,
  readFailure,
  readReply,
  writeCall,
  writeFailure,
  writeReply,
} from "./call-codec.ts";
import { bool, compile, name } from "./field.ts";
import type { FieldsOf, Incoming, Outgoing } from "./field.ts";
import { goodbyeFields, helloFields, refusedFields, welcomeFields } from "./greeting-fields.ts";
import { membershipField } from "./membership-fields.ts";
import type { Message } from "./messages.ts";
import { replicationField } from "./replication-fields.ts";
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

export type MessageType = Message["type"];

type MessageOf<T extends MessageType> = Extract<Message, { readonly type: T }>;

export interface MessageCodec {
  readonly code: number;
  write(to: Outgoing, message: Message): void;
  /** @throws MalformedBytes */
  read(from: Incoming): Message;
}

export const messageCodecs: Readonly<Record<MessageType, MessageCodec>> = {
  hello: described<"hello">(1, "hello", helloFields),
  welcome: described<"welcome">(2, "welcome", welcomeFields),
  refused: described<"refused">(3, "refused", refusedFields),
  goodbye: described<"goodbye">(4, "goodbye", goodbyeFields),
  echo: described<"echo">(5, "echo", { reply: bool }),
  call: byHand<"call">(16, writeCall, readCall),
  reply: byHand<"reply">(17, writeReply, readReply),
  failure: byHand<"failure">(18, writeFailure, readFailure),
  cancel: described<"cancel">(19, "cancel", cancelFields),
  table: described<"table">(32, "table", tableFields),
  primaries: described<"primaries">(33, "primaries", primariesFields),
  watch: described<"watch">(34, "watch", watchFields),
  unwatch: described<"unwatch">(35, "unwatch", unwatchFields),
  snapshot: described<"snapshot">(36, "snapshot", snapshotFields),
  change: described<"change">(37, "change", changeFields),
  "watch-end": described<"watch-end">(38, "watch-end", watchEndFields),
  membership: described<"membership">(48, "membership", { message: membershipField }),
  replication: described<"replication">(49, "replication", {
    from: name,
    to: name,
    message: replicationField,
  }),
};

export const helloCode = messageCodecs.hello.code;
export const callCode = messageCodecs.call.code;
export const replyCode = messageCodecs.reply.code;
export const tableCode = messageCodecs.table.code;

/** By number; `undefined` where there is no message of that number. */
export const codecsByCode: readonly (MessageCodec | undefined)[] = byCode();

function described<T extends MessageType>(
  code: number,
  type: T,
  fields: FieldsOf<Omit<MessageOf<T>, "type">>,
): MessageCodec {
  return { code, ...compile<Message>(fields, type) };
}

/** The map above pairs every type with its own functions, which the type of a codec cannot say. */
function byHand<T extends MessageType>(
  code: number,
  write: (to: Outgoing, message: MessageOf<T>) => void,
  read: (from: Incoming) => MessageOf<T>,
): MessageCodec {
  return { code, write, read };
}

function byCode(): readonly (MessageCodec | undefined)[] {
  const codecs: (MessageCodec | undefined)[] = new Array<undefined>(256).fill(undefined);
  for (const codec of Object.values(messageCodecs)) codecs[codec.code] = codec;
  return codecs;
}
