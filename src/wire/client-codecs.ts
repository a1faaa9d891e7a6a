/** What clients write and read: they carry no code for what only nodes do. */
import { assert } from "../model/assert.ts";
import { limits } from "../model/limits.ts";
import { readFailure, readReply, writeCall } from "./call-codec.ts";
import type { FrameLimits } from "./link-codec.ts";
import { byHand, sharedCodecs, tableOf } from "./message-codecs.ts";

const clientCodecs = tableOf({
  ...sharedCodecs,
  call: byHand<"call">("call", writeCall, notOfClients),
  reply: byHand<"reply">("reply", notOfClients, readReply),
  failure: byHand<"failure">("failure", notOfClients, readFailure),
});

export const clientFrameLimits: FrameLimits = {
  maxFrameBytes: limits.nodeFrameBytesMax,
  afterWelcome: "to-client",
  codecs: clientCodecs,
};

/** The rules of links to clients let it through in no direction. */
function notOfClients(): never {
  assert(false, "a client did what only nodes do");
}
