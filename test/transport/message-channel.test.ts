import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import { MessageChannel, type MessageHandlers } from "../../src/transport/message-channel.ts";
import type { CloseReason } from "../../src/transport/transport.ts";
import { closeCodes } from "../../src/wire/close-codes.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type { HelloMessage, Message } from "../../src/wire/messages.ts";
import { callMessage } from "../node/support/raw-peer.ts";
import { refuses } from "../support/refuses.ts";

interface End {
  readonly channel: MessageChannel;
  readonly received: Message[];
  frames: number;
  closed: { readonly code: number; readonly reason: CloseReason } | undefined;
}

interface Pair {
  readonly time: VirtualTime;
  readonly dialling: End;
  readonly accepting: End;
}

const identity = {
  id: "a",
  boot: 1,
  address: "ws://a:1",
  zone: "",
  weight: 1,
  settings: { partitionCount: 64, replicas: 3, placementVersion: 1 },
};

function hello(channel: "control" | "data"): HelloMessage {
  return {
    type: "hello",
    protocolMin: 1,
    protocolMax: 1,
    features: [],
    channel,
    cluster: "c",
    node: identity,
  };
}

/** Two ends that have said nothing yet. */
async function connect(calls?: MessageHandlers["calls"]): Promise<Pair> {
  const time = new VirtualTime({ seed: 1 });
  const { clock, timers, random } = time;
  const network = new MemoryNetwork({ clock, timers, random });
  const make = (channel: MessageChannel): End => ({
    channel,
    received: [],
    frames: 0,
    closed: undefined,
  });
  let accepting: End | undefined;
  await time.settled(
    network.transportFor("b", timers).listen({ port: 1 }, (connection) => {
      const { channel, events } = MessageChannel.accept(connection, {
        timers,
        limits: nodeFrameLimits,
        handlers: {
          message: (message) => accepting?.received.push(message),
          closed: (code, reason) => {
            if (accepting !== undefined) accepting.closed = { code, reason };
          },
          ...(calls === undefined ? {} : { calls }),
        },
      });
      const end = make(channel);
      accepting = end;
      return {
        ...events,
        frame: (frame) => {
          end.frames += 1;
          events.frame(frame);
        },
      };
    }),
  );
  const dialling: End = make(
    MessageChannel.dial(network.transportFor("a", timers), "ws://b:1", {
      timers,
      limits: nodeFrameLimits,
      handlers: {
        message: (message) => dialling.received.push(message),
        closed: (code, reason) => {
          dialling.closed = { code, reason };
        },
      },
    }),
  );
  await time.sleep(10);
  assert.ok(accepting !== undefined && dialling.channel.isOpen);
  return { time, dialling, accepting };
}

/** Two ends after the hand shake of a node's channel. */
async function greet(kind: "control" | "data", calls?: MessageHandlers["calls"]): Promise<Pair> {
  const pair = await connect(calls);
  const { time, dialling, accepting } = pair;
  dialling.channel.send(hello(kind));
  await time.sleep(10);
  accepting.channel.send({
    type: "welcome",
    protocol: 1,
    features: [],
    cluster: "c",
    node: identity,
  });
  accepting.channel.become({ incoming: kind, outgoing: kind });
  await time.sleep(10);
  dialling.channel.become({ incoming: kind, outgoing: kind });
  return pair;
}

function replication(bytes: number): Message {
  const commit = { entity: "f/k", writer: 1, sequence: 1, delta: new Uint8Array(bytes) };
  const message = { type: "forked", commits: [commit] } as const;
  return {
    type: "replication",
    from: "a#1",
    to: "b#1",
    message: { entries: [{ partition: 1, message }] },
  };
}

void test("what is sent in one turn is one frame, in order", async () => {
  const { time, dialling, accepting } = await greet("data");
  const before = accepting.frames;
  for (let id = 0; id < 50; id++) dialling.channel.send({ type: "cancel", id });
  assert.ok(dialling.channel.bufferedBytes > 0);
  await time.sleep(10);
  assert.equal(accepting.frames, before + 1);
  assert.deepEqual(
    accepting.received.slice(1).map((message) => message.type === "cancel" && message.id),
    Array.from({ length: 50 }, (_, id) => id),
  );
  assert.equal(dialling.channel.bufferedBytes, 0);
});

void test("calls of a frame come together, and what stands between them keeps its place", async () => {
  const order: string[] = [];
  const { time, dialling, accepting } = await greet("data", (calls) => {
    order.push(calls.map(({ id }) => String(id)).join(" "));
  });
  accepting.received.push = (...messages): number => {
    order.push(...messages.map(({ type }) => type));
    return order.length;
  };
  for (const id of [1, 2]) dialling.channel.send(callMessage({ id }));
  dialling.channel.send({ type: "cancel", id: 1 });
  dialling.channel.send(callMessage({ id: 3 }));
  await time.sleep(10);
  dialling.channel.send(callMessage({ id: 4 }));
  await time.sleep(10);
  assert.deepEqual(order, ["1 2", "cancel", "3", "4"]);
});

void test("a message that may not cross is refused to its sender, and the channel is as it was", async () => {
  const { time, dialling, accepting } = await greet("data");
  dialling.channel.send({ type: "cancel", id: 1 });
  refuses(() => {
    dialling.channel.send(replication(17 * 1024 * 1024));
  }, "too_large");
  dialling.channel.send({ type: "cancel", id: 2 });
  await time.sleep(10);
  assert.deepEqual(
    accepting.received.slice(1).map((message) => message.type === "cancel" && message.id),
    [1, 2],
  );
});

void test("a control channel keeps to small messages at both ends", async () => {
  for (const from of ["dialling", "accepting"] as const) {
    const pair = await greet("control");
    refuses(() => {
      pair[from].channel.send(replication(20_000));
    }, "too_large");
    // An end that does not keep to it is cut off by the other one.
    const to = from === "dialling" ? pair.accepting : pair.dialling;
    pair[from].channel.become({ incoming: "control", outgoing: "data" });
    pair[from].channel.send(replication(20_000));
    await pair.time.sleep(10);
    assert.equal(to.closed?.code, closeCodes.tooLarge, from);
    assert.equal(pair[from].closed?.code, closeCodes.tooLarge, from);
  }
});

void test("before hello nothing else is read", async () => {
  const { time, dialling, accepting } = await connect();
  dialling.channel.become({ incoming: "data", outgoing: "data" });
  dialling.channel.send({ type: "cancel", id: 1 });
  await time.sleep(10);
  assert.deepEqual(accepting.received, []);
  assert.equal(dialling.closed?.code, closeCodes.malformed);
});

void test("what is sent before a close arrives before it, and later messages are dropped", async () => {
  const { time, dialling, accepting } = await greet("data");
  dialling.channel.send({ type: "cancel", id: 7 });
  dialling.channel.close(closeCodes.normal, "done");
  dialling.channel.send({ type: "cancel", id: 8 });
  await time.sleep(10);
  assert.deepEqual(accepting.received.at(-1), { type: "cancel", id: 7 });
  assert.equal(accepting.closed?.code, closeCodes.normal);
  accepting.channel.send({ type: "cancel", id: 9 });
  await time.sleep(10);
  assert.equal(dialling.received.length, 1);
});
