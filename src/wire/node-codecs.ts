/** All messages: what nodes say to each other, besides what they exchange with clients. */
import { limits } from "../model/limits.ts";
import {
  readCall,
  readFailure,
  readReply,
  writeCall,
  writeFailure,
  writeReply,
} from "./call-codec.ts";
import { name } from "./field.ts";
import type { FrameLimits } from "./link-codec.ts";
import { membershipField } from "./membership-fields.ts";
import { byHand, described, sharedCodecs, tableOf } from "./message-codecs.ts";
import { replicationField } from "./replication-fields.ts";

const replicationFields = { from: name, to: name, message: replicationField };

export const nodeCodecs = tableOf({
  ...sharedCodecs,
  call: byHand<"call">("call", writeCall, readCall),
  reply: byHand<"reply">("reply", writeReply, readReply),
  failure: byHand<"failure">("failure", writeFailure, readFailure),
  membership: described<"membership">("membership", { message: membershipField }),
  replication: described<"replication">("replication", replicationFields),
});

export const nodeFrameLimits: FrameLimits = {
  maxFrameBytes: limits.nodeFrameBytesMax,
  afterWelcome: "data",
  codecs: nodeCodecs,
};
