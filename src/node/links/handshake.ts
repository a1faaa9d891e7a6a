/**
 * Who may link with whom. The dialling side says hello, the accepting side agrees or refuses with a
 * code that names what does not fit. Judging is pure; the channels around it are not.
 */
import type { HelloJudgement } from "../../membership/hello-judgement.ts";
import type { BootId } from "../../model/ids.ts";
import { negotiate, protocolMax, protocolMin } from "../../wire/agreement.ts";
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

/** What a refused newcomer is told. */
export function refusalOf(
  judgement: HelloJudgement & { readonly type: "refuse" },
  local: NodeIdentity,
  peer: NodeIdentity,
): RefusedMessage {
  switch (judgement.code) {
    case "same_node":
      return refusal("same_node", `${local.address} is this node itself: leave it out of join`);
    case "duplicate_node":
      return refusal(
        "duplicate_node",
        `node id ${peer.id} is in use by another process: give ${peer.address} another id (--id)`,
      );
    case "boot_too_low":
      return refusal(
        "boot_too_low",
        `${peer.id} has been seen with a later start than this one`,
        judgement.rememberedBoot,
      );
    case "leaving":
      return refusal("leaving", "this node is leaving");
  }
}
