/**
 * Nodes that speak the wire protocol to a client and do exactly what a test tells them: what a real
 * cluster does only by accident (lose an answer, change its mind, offer degraded service) can so be
 * asked of them at will.
 */
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { connectWith, type Client, type ClientWorld } from "../../src/client/client.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { ConnectOptions } from "../../src/client/connect-options.ts";
import type { Value } from "../../src/model/value.ts";
import type { VirtualNode } from "../../src/platform/virtual/virtual-node.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { MessageChannel } from "../../src/transport/message-channel.ts";
import { agree } from "../../src/wire/agreement.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type {
  CallMessage,
  CatalogueEntry,
  FailureMessage,
  Message,
  ReplyMessage,
  TableMessage,
  WatchMessage,
} from "../../src/wire/messages.ts";

const partitionCount = 16;
const settings = { partitionCount, replicas: 3, placementVersion: 1 };

/** Only their types and names matter: a fake node answers what the test says. */
export const cart = defineFunction({
  state: { lines: crdt.map(crdt.counter()), visits: crdt.counter() },
  handlers: {
    add(ctx, line: { sku: string; quantity: number }) {
      ctx.state.lines.at(line.sku).add(line.quantity);
    },
    visit: (ctx): number => ctx.state.visits.value,
  },
  queries: { total: (ctx) => ctx.state.visits.value },
});

export interface Functions {
  readonly cart: typeof cart;
}

const catalogue: readonly CatalogueEntry[] = [
  {
    name: "cart",
    handlers: ["add", "visit"],
    queries: ["total"],
    whenSplit: "serve",
    acks: 2,
    deadlineMs: 30_000,
    stateless: false,
  },
];

/** What a node answers; `undefined` for nothing at all. */
export type Answer =
  | Partial<Omit<ReplyMessage, "id">>
  | (Partial<Omit<FailureMessage, "id" | "type">> & Pick<FailureMessage, "type" | "code">)
  | undefined;

export class FakeNode {
  readonly name: string;
  readonly calls: CallMessage[] = [];
  readonly watches: WatchMessage[] = [];
  readonly other: Message[] = [];
  readonly channels = new Set<MessageChannel>();
  /** How calls are answered; by default with the number of calls so far. */
  answer: (call: CallMessage) => Answer = () => ({ value: encodeValue(this.calls.length) });
  readonly #cluster: FakeCluster;
  readonly #node: VirtualNode;

  constructor(cluster: FakeCluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
    this.#node = cluster.time.node(name);
  }

  get address(): string {
    return `ws://${this.name}:7400`;
  }

  async start(): Promise<void> {
    const transport = this.#cluster.network.transportFor(this.name, this.#node.input);
    await transport.listen({ port: 7400 }, (connection) => {
      const { channel, events } = MessageChannel.accept(connection, {
        timers: this.#node.timers,
        limits: nodeFrameLimits,
        handlers: {
          message: (message) => {
            this.#receive(channel, message);
          },
          closed: () => {
            this.channels.delete(channel);
          },
        },
      });
      return events;
    });
  }

  /** To every client that is linked. */
  broadcast(message: Message): void {
    for (const channel of this.channels) channel.send(message);
  }

  respond(call: CallMessage, answer: Answer): void {
    if (answer !== undefined) this.broadcast(answerTo(call, answer, this.name));
  }

  /** Crashes at once; peers are told by the operating system. */
  crash(): void {
    this.channels.clear();
    this.#cluster.network.crash(this.name);
  }

  #receive(channel: MessageChannel, message: Message): void {
    switch (message.type) {
      case "hello": {
        const node = {
          id: this.name,
          boot: 1,
          address: this.address,
          zone: "",
          weight: 1,
          settings,
        };
        const { name: cluster } = this.#cluster;
        const refused = agree({ cluster, node }, message);
        if (refused !== undefined) {
          channel.send(refused);
          channel.close(4412, "refused");
          return;
        }
        channel.send({ type: "welcome", protocol: 1, features: [], cluster, node });
        channel.send(this.#cluster.table());
        this.channels.add(channel);
        break;
      }
      case "call": {
        this.calls.push(message);
        const answer = this.answer(message);
        if (answer !== undefined) channel.send(answerTo(message, answer, this.name));
        break;
      }
      case "watch":
        this.watches.push(message);
        break;
      default:
        this.other.push(message);
    }
  }
}

function answerTo(call: CallMessage, answer: NonNullable<Answer>, node: string): Message {
  if (answer.type === "failure") {
    return {
      message: `${answer.code} said by ${node}`,
      indeterminate: answer.code === "indeterminate",
      retryAfterMs: 0,
      node,
      primary: "",
      call: "",
      data: new Uint8Array(0),
      ...answer,
      id: call.id,
    };
  }
  const value = new Uint8Array(0);
  return {
    type: "reply",
    flags: 0,
    copies: 2,
    hops: call.hop,
    node,
    seen: undefined,
    value,
    ...answer,
    id: call.id,
  };
}

export interface FakeClusterOptions {
  /** Given in the order in which they own all partitions. @default a, b, c */
  readonly nodes?: readonly string[];
  readonly seed?: number;
}

export class FakeCluster {
  readonly name = "shop";
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly nodes: readonly FakeNode[];
  /** Owners of all partitions, the primary first. */
  owners: readonly string[];
  #version = 0;
  #clients = 0;

  private constructor({ nodes = ["a", "b", "c"], seed = 1 }: FakeClusterOptions) {
    this.time = new VirtualTime({ seed });
    const { clock, timers, random } = this.time;
    this.network = new MemoryNetwork({ clock, timers, random });
    this.nodes = nodes.map((name) => new FakeNode(this, name));
    this.owners = nodes;
  }

  static async start(options: FakeClusterOptions = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(options);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    return cluster;
  }

  node(name: string): FakeNode {
    const node = this.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`no node ${name}`);
    return node;
  }

  /** All calls of all nodes as `node operation`. */
  get callLog(): string[] {
    return this.nodes.flatMap((node) => node.calls.map((call) => `${node.name} ${call.operation}`));
  }

  table(): TableMessage {
    return {
      type: "table",
      version: ++this.#version,
      tableId: 7,
      partitionCount,
      members: this.nodes.map(({ name, address }) => ({ id: name, address, boot: 1 })),
      full: true,
      owners: Array.from({ length: partitionCount }, (_, partition) => ({
        partition,
        members: this.owners.map((owner) => this.nodes.findIndex((node) => node.name === owner)),
      })),
      functions: catalogue,
    };
  }

  /** Changes the owners and tells them to the clients of one node. */
  move(owners: readonly string[], toldBy: string): void {
    this.owners = owners;
    this.node(toldBy).broadcast(this.table());
  }

  world(name = `client-${String(++this.#clients)}`): ClientWorld {
    const platform = this.time.node(name);
    return { platform, transport: this.network.transportFor(name, platform.input) };
  }

  /** A client that was told the addresses of the first node, unless others are given. */
  connect(options: Partial<ConnectOptions> = {}, world = this.world()): Promise<Client<Functions>> {
    const nodes = options.nodes ?? [this.nodes[0]?.address ?? ""];
    return this.time.settled(connectWith<Functions>({ ...options, nodes }, world));
  }

  partitionOf(functionName: string, key: string): number {
    return partitionOf(functionName, key, partitionCount);
  }

  /** Runs until `condition` holds; fails after `limitMs` of virtual time. */
  async until(condition: () => boolean, limitMs = 10_000): Promise<void> {
    const outcome = await this.time.run({ untilAt: this.time.now + limitMs, condition });
    if (outcome !== "condition")
      throw new Error(`not in ${String(limitMs)} virtual ms (${outcome})`);
  }

  static value(value: Value): Answer {
    return { value: encodeValue(value) };
  }
}
