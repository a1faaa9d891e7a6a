/**
 * The product as a subject: a counter function, called through the client as it ships (retry
 * protection on) with a handle per call, as users write it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "../../src/entry/client.ts";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { startNode, type Node } from "../../src/entry/node.ts";
import type { Caller, Subject } from "../lib/subject.ts";

const state = { count: crdt.counter() };

/** Answered when the primary has it. */
const counter = defineFunction({
  acks: 1,
  state,
  handlers: {
    increment(ctx): number {
      ctx.state.count.add(1);
      return ctx.state.count.value;
    },
  },
});

/** Answered when two owners have it. */
const replicatedCounter = defineFunction({
  acks: 2,
  state,
  handlers: {
    increment(ctx): number {
      ctx.state.count.add(1);
      return ctx.state.count.value;
    },
  },
});

const functions = { counter, replicatedCounter };
type Functions = typeof functions;

const settlePollMs = 20;
const settleTimeoutMs = 30_000;

export const singleNode: Subject = {
  serve: async () => (await start([])).address,
  connect: (addresses) => client(addresses, "counter"),
};

/** The last of three resolves when every partition has three owners. */
export const threeNodes: Subject = {
  async serve(earlier) {
    const node = await start(earlier);
    if (earlier.length === 2) await settled(node);
    return node.address;
  },
  connect: (addresses) => client(addresses, "replicatedCounter"),
};

export const inOneProcess: Subject = {
  serve: () => Promise.reject(new Error("its node runs in the process of its caller")),
  async connect(): Promise<Caller> {
    const node = await start([]);
    return { call: (key) => node.get("counter", key).increment() };
  },
};

function start(join: readonly string[]): Promise<Node<Functions>> {
  return startNode({ functions, listen: { port: 0 }, join, logger: "silent" });
}

async function client(nodes: readonly string[], name: keyof Functions): Promise<Caller> {
  const connected = await connect<Functions>({ nodes });
  return { call: (key) => connected.get(name, key).increment() };
}

async function settled(node: Node<Functions>): Promise<void> {
  for (let waitedMs = 0; waitedMs < settleTimeoutMs; waitedMs += settlePollMs) {
    const { members, primaries, underReplicated } = node.status();
    if (members.length === 3 && primaries.length > 0 && underReplicated.length === 0) return;
    await pause(settlePollMs);
  }
  throw new Error("three nodes did not settle within 30 s");
}
