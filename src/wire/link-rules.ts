/**
 * What may cross a connection in one direction, and how much of it. A connection begins as
 * `greeting`; the hand shake decides what it becomes. Clients are not trusted, so what may come from
 * them is little and small; a control channel is kept to small messages so that nothing ever holds
 * up a probe.
 */
import { limits } from "../model/limits.ts";
import { messageCodes } from "./message-codes.ts";
import type { MessageType } from "./message-codes.ts";
import type { NameLimits } from "./link-names.ts";

export type LinkKind = "greeting" | "from-client" | "to-client" | "control" | "data" | "bulk";

export interface LinkRules extends NameLimits {
  readonly kind: LinkKind;
  /** Payload of one message, the bytes after its length. */
  readonly messageBytesMax: number;
  readonly frameBytesMax: number;
  /** A sender ends its frame when it is longer than this. */
  readonly sealBytes: number;
  /** By message number: 1 where that message may come. */
  readonly accepts: Uint8Array;
}

const kibibyte = 1024;
/** What a message may be longer than its payload. */
const envelopeBytesMax = 128 * kibibyte;
/** Frames this long cost next to nothing more per byte, and shorter ones more per call. */
const sealBytes = 64 * kibibyte;
/** The frame around the messages: version, type, length and what was in it before. */
const frameSlackBytes = 2 * sealBytes;

const nodeMessages: readonly MessageType[] = Object.keys(messageCodes) as MessageType[];
const clientMessages: readonly MessageType[] = ["goodbye", "call", "cancel", "watch", "unwatch"];
const answersToClients: readonly MessageType[] = [
  "refused",
  "goodbye",
  "reply",
  "failure",
  "table",
  "snapshot",
  "change",
  "watch-end",
];

const betweenNodes = {
  messageBytesMax: limits.nodeFrameBytesMax - frameSlackBytes,
  frameBytesMax: limits.nodeFrameBytesMax,
  sealBytes,
  namesMax: 4096,
  nameBytesMax: 512,
  accepts: accepting(nodeMessages),
};

export const linkRules: Readonly<Record<LinkKind, LinkRules>> = {
  greeting: {
    ...betweenNodes,
    kind: "greeting",
    accepts: accepting(["hello", "welcome", "refused", "goodbye"]),
  },
  "from-client": {
    kind: "from-client",
    messageBytesMax: limits.clientPayloadBytesMax + envelopeBytesMax,
    frameBytesMax: limits.clientPayloadBytesMax + envelopeBytesMax + frameSlackBytes,
    sealBytes,
    namesMax: 128,
    nameBytesMax: 160,
    accepts: accepting(clientMessages),
  },
  "to-client": { ...betweenNodes, kind: "to-client", accepts: accepting(answersToClients) },
  control: {
    ...betweenNodes,
    kind: "control",
    messageBytesMax: limits.controlMessageBytesMax,
    frameBytesMax: 3 * limits.controlMessageBytesMax,
    sealBytes: limits.controlMessageBytesMax,
  },
  data: { ...betweenNodes, kind: "data" },
  bulk: { ...betweenNodes, kind: "bulk" },
};

function accepting(types: readonly MessageType[]): Uint8Array {
  const accepts = new Uint8Array(256);
  for (const type of types) accepts[messageCodes[type]] = 1;
  return accepts;
}
