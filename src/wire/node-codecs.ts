/** All messages: what nodes say to each other, besides what they exchange with clients. */
import { limits } from "../model/limits.ts";
import { name } from "./field.ts";
import type { FrameLimits } from "./link-codec.ts";
import { membershipField } from "./membership-fields.ts";
import { described, sharedCodecs, tableOf } from "./message-codecs.ts";
import { replicationField } from "./replication-fields.ts";

const replicationFields = { from: name, to: name, message: replicationField };

export const nodeCodecs = tableOf({
  ...sharedCodecs.byType,
  membership: described<"membership">("membership", { message: membershipField }),
  replication: described<"replication">("replication", replicationFields),
});

export const nodeFrameLimits: FrameLimits = {
  maxFrameBytes: limits.nodeFrameBytesMax,
  afterWelcome: "data",
  codecs: nodeCodecs,
};
