/**
 * Who may link with whom. The dialling side says hello, the accepting side agrees or refuses with a
 * code that names what does not fit. Judging is pure; the channels around it are not.
 */
import { bootOf, nodeOf, processId, type BootId, type ProcessId } from "../../model/ids.ts";
import { agree, negotiate, protocolMax, protocolMin } from "../../wire/agreement.ts";
import type {
  ChannelName,
  HelloMessage,
  NodeIdentity,
  RefusalCode,
  RefusedMessage,
  WelcomeMessage,
} from "../../wire/messages.ts";

export interface LocalIdentity {
  readonly cluster: string;
  readonly node: NodeIdentity;
}

export function helloFor(local: LocalIdentity, channel: ChannelName): HelloMessage {
  return {
    type: "hello",
    protocolMin,
    protocolMax,
    features: [],
    channel,
    cluster: local.cluster,
    node: local.node,
  };
}

export function welcomeFor(local: LocalIdentity, hello: HelloMessage): WelcomeMessage {
  return {
    type: "welcome",
    protocol: negotiate(hello) ?? protocolMax,
    features: [],
    cluster: local.cluster,
    node: local.node,
  };
}

export function refusal(code: RefusalCode, message: string, remembered?: BootId): RefusedMessage {
  return remembered === undefined
    ? { type: "refused", code, message }
    : { type: "refused", code, message, rememberedBoot: remembered };
}

/** What the accepting side says to a hello, before it looks at links it already has. */
export function judgeHello(
  local: LocalIdentity,
  hello: HelloMessage,
  remembered: BootId | undefined,
): RefusedMessage | undefined {
  const disagreement = agree(local, hello);
  if (disagreement !== undefined) return disagreement;
  const peer = hello.node;
  if (peer === undefined) return undefined;
  if (peer.id === local.node.id) return judgeNamesake(local.node, peer);
  if (remembered !== undefined && peer.boot < remembered) {
    return refusal(
      "boot_too_low",
      `${peer.id} has been seen with a later start than this one`,
      remembered,
    );
  }
  return undefined;
}

function judgeNamesake(local: NodeIdentity, peer: NodeIdentity): RefusedMessage {
  if (peer.boot === local.boot) {
    return refusal("same_node", `${local.address} is this node itself: leave it out of join`);
  }
  return refusal(
    "duplicate_node",
    `node id ${local.id} is taken by ${local.address}: give this node another id (--id)`,
  );
}

/** The process behind an identity. */
export function processOf(identity: NodeIdentity): ProcessId {
  return processId(identity.id, identity.boot);
}

/** True when `older` is an earlier life of the same node. */
export function isEarlierLife(older: ProcessId, newer: ProcessId): boolean {
  return nodeOf(older) === nodeOf(newer) && bootOf(older) < bootOf(newer);
}
