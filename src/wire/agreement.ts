/**
 * What two ends must agree on before they talk: protocol, cluster and the settings that make their
 * tables equal. A disagreement is refused with a message that names the setting and both values,
 * because whoever reads it has to change one of them.
 */
import type { ClusterSettings, NodeIdentity, RefusalCode, RefusedMessage } from "./messages.ts";

/**
 * Oldest and newest protocol version that this code speaks. A version covers the layout of every
 * message and what the messages mean; each release reads the version before its own.
 */
export const protocolMin = 7;
export const protocolMax = 7;

export interface ProtocolRange {
  readonly protocolMin: number;
  readonly protocolMax: number;
}

/** The highest version that both ends speak, or `undefined` when there is none. */
export function negotiate(
  theirs: ProtocolRange,
  mine: ProtocolRange = { protocolMin, protocolMax },
): number | undefined {
  const highest = Math.min(mine.protocolMax, theirs.protocolMax);
  return highest >= Math.max(mine.protocolMin, theirs.protocolMin) ? highest : undefined;
}

/** This end. */
export interface LocalSide {
  readonly cluster: string;
  readonly node: NodeIdentity;
}

/** The other end, as its hello says; of a welcome, pass its `protocol` as both ends of the range. */
export interface RemoteSide extends ProtocolRange {
  /** Clients may leave it "": any cluster. */
  readonly cluster: string;
  /** Absent for clients. */
  readonly node?: NodeIdentity;
}

/** The refusal to send, or `undefined` when nothing is in the way. Pure: links are not looked at. */
export function agree(mine: LocalSide, theirs: RemoteSide): RefusedMessage | undefined {
  if (negotiate(theirs) === undefined) {
    const range = `${span(theirs)}, this node ${span({ protocolMin, protocolMax })}`;
    return refuse("protocol_mismatch", `you speak protocol ${range}: upgrade the older side`);
  }
  const isAnyCluster = theirs.node === undefined && theirs.cluster === "";
  if (!isAnyCluster && theirs.cluster !== mine.cluster) {
    const clusters = `you are of cluster "${theirs.cluster}", this node of "${mine.cluster}"`;
    return refuse("cluster_mismatch", `${clusters}: check the address or the option "cluster"`);
  }
  if (theirs.node === undefined) return undefined;
  return agreeOnSettings(mine.node.settings, theirs.node.settings);
}

const optionNames: { readonly [K in keyof ClusterSettings]: string } = {
  partitionCount: "partitionCount",
  replicas: "replicas",
  placementVersion: "placementVersion (the version of latticework)",
};

function agreeOnSettings(
  mine: ClusterSettings,
  theirs: ClusterSettings,
): RefusedMessage | undefined {
  for (const setting of Object.keys(optionNames) as (keyof ClusterSettings)[]) {
    if (mine[setting] === theirs[setting]) continue;
    const values = `${String(theirs[setting])} here and ${String(mine[setting])} in the cluster`;
    const advice = "all nodes of a cluster need the same";
    return refuse("settings_mismatch", `${optionNames[setting]} is ${values}: ${advice}`);
  }
  return undefined;
}

function refuse(code: RefusalCode, message: string): RefusedMessage {
  return { type: "refused", code, message };
}

function span(range: ProtocolRange): string {
  const { protocolMin: min, protocolMax: max } = range;
  return min === max ? String(min) : `${String(min)} to ${String(max)}`;
}
