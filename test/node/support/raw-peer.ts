/** A connection to a node that says whatever a test wants it to say. */
import { MessageChannel } from "../../../src/transport/message-channel.ts";
import type { CloseReason } from "../../../src/transport/transport.ts";
import { protocolMax, protocolMin } from "../../../src/wire/agreement.ts";
import { clientFrameLimits } from "../../../src/wire/client-codecs.ts";
import { nodeFrameLimits } from "../../../src/wire/node-codecs.ts";
import type {
  CallMessage,
  ChannelName,
  Message,
  NodeIdentity,
} from "../../../src/wire/messages.ts";
import type { VirtualCluster } from "./virtual-cluster.ts";

export interface RawPeer {
  readonly channel: MessageChannel;
  readonly received: Message[];
  closed: { readonly code: number; readonly reason: CloseReason } | undefined;
}

/** Connects to the node on `host`; says nothing yet. */
export async function dialRaw(
  cluster: VirtualCluster,
  from: string,
  host: string,
  isNode = false,
): Promise<RawPeer> {
  const platform = cluster.time.node(from);
  const transport = cluster.network.transportFor(from, platform.input);
  const received: Message[] = [];
  const channel = MessageChannel.dial(transport, cluster.address(host), {
    timers: platform.timers,
    limits: isNode ? nodeFrameLimits : clientFrameLimits,
    handlers: {
      message: (message) => received.push(message),
      closed: (code, reason) => {
        peer.closed = { code, reason };
      },
    },
  });
  const peer: RawPeer = { channel, received, closed: undefined };
  await cluster.until("the connection is open", () => channel.isOpen || peer.closed !== undefined);
  return peer;
}

/** Connects as a client and waits for the table. */
export async function dialClient(
  cluster: VirtualCluster,
  from: string,
  host: string,
): Promise<RawPeer> {
  const peer = await dialRaw(cluster, from, host);
  peer.channel.send({
    type: "hello",
    protocolMin,
    protocolMax,
    features: [],
    channel: "data",
    cluster: "",
  });
  await cluster.until("a table comes", () => peer.received.some(({ type }) => type === "table"));
  return peer;
}

/** Connects one channel of a node. */
export async function dialNode(
  cluster: VirtualCluster,
  node: NodeIdentity,
  host: string,
  channel: ChannelName,
): Promise<RawPeer> {
  const name = `${node.id}-${channel}-${String(cluster.time.now)}`.replaceAll(".", "-");
  const peer = await dialRaw(cluster, name, host, true);
  peer.channel.send({
    type: "hello",
    protocolMin,
    protocolMax,
    features: [],
    channel,
    cluster: "default",
    node,
  });
  await cluster.until(
    "an answer comes",
    () => peer.received.length > 0 || peer.closed !== undefined,
  );
  return peer;
}

export function callMessage(changes: Partial<CallMessage> = {}): CallMessage {
  return {
    type: "call",
    id: 1,
    partition: 0,
    tableId: 0,
    hop: 1,
    functionName: "ledger",
    key: "k",
    operation: "add",
    caller: "",
    number: 0,
    received: 0,
    timeoutMs: 5_000,
    acks: 0,
    flags: 0,
    ageTime: 0,
    ageId: "",
    chain: [],
    seen: undefined,
    trace: "",
    input: Uint8Array.of(1),
    ...changes,
  };
}

/** Sends a call and waits for its answer. */
export async function callRaw(
  cluster: VirtualCluster,
  peer: RawPeer,
  changes: Partial<CallMessage>,
): Promise<Extract<Message, { readonly type: "reply" | "failure" }>> {
  const call = callMessage({ id: peer.received.length + 1_000, ...changes });
  peer.channel.send(call);
  const answer = (): Message | undefined =>
    peer.received.find(
      (message) =>
        (message.type === "reply" || message.type === "failure") && message.id === call.id,
    );
  await cluster.until("an answer comes", () => answer() !== undefined || peer.closed !== undefined);
  const found = answer();
  if (found?.type !== "reply" && found?.type !== "failure") {
    throw new Error(`closed with ${JSON.stringify(peer.closed)}`);
  }
  return found;
}
