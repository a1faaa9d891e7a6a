/** The hand shake on the wire. Its layout outlives protocol versions: see `protocol.ts`. */
import { absent, float, list, oneOf, prose, struct, text, varint } from "./field.ts";
import type { Field, FieldsOf } from "./field.ts";
import type {
  GoodbyeMessage,
  HelloMessage,
  NodeIdentity,
  RefusedMessage,
  WelcomeMessage,
} from "./messages.ts";

/** Room for 128 characters of 3 bytes. */
export const nodeIdBytesMax = 384;
export const addressBytesMax = 1024;
const featuresMax = 64;
const featureBytesMax = 64;
const clusterBytesMax = 384;
const zoneBytesMax = 512;

const features = list(text(featureBytesMax), featuresMax);
const cluster = text(clusterBytesMax);

// Names of the hand shake get no slots: no table limits are agreed on yet.
const identity: Field<NodeIdentity> = struct<NodeIdentity>({
  id: text(nodeIdBytesMax),
  boot: varint,
  address: text(addressBytesMax),
  zone: text(zoneBytesMax),
  weight: float,
  settings: struct<NodeIdentity["settings"]>({
    partitionCount: varint,
    replicas: varint,
    placementVersion: varint,
  }),
});

export const helloFields: FieldsOf<Omit<HelloMessage, "type">> = {
  protocolMin: varint,
  protocolMax: varint,
  features,
  channel: oneOf(["control", "data", "bulk"]),
  cluster,
  node: absent(identity),
};

export const welcomeFields: FieldsOf<Omit<WelcomeMessage, "type">> = {
  protocol: varint,
  features,
  cluster,
  node: identity,
};

export const refusedFields: FieldsOf<Omit<RefusedMessage, "type">> = {
  code: oneOf([
    "protocol_mismatch",
    "cluster_mismatch",
    "settings_mismatch",
    "duplicate_node",
    "same_node",
    "boot_too_low",
    "leaving",
    "not_ready",
    "overloaded",
    "malformed",
  ]),
  message: prose,
  rememberedBoot: absent(varint),
};

export const goodbyeFields: FieldsOf<Omit<GoodbyeMessage, "type">> = {
  reason: oneOf(["leaving", "duplicate_link", "idle", "closed", "done"]),
};
