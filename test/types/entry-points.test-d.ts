/**
 * The public surface as users import it: by the names of the package's entry points, nothing
 * besides. It has nothing to run: it passes when it compiles, here against the sources and in
 * `test/package` against the declarations that are packed.
 */
import {
  crdt,
  defineFunction,
  handler,
  LatticeError,
  type ErrorCode,
  type Handle,
  type Reply,
  type StandardSchema,
  type Value,
} from "latticework";
import { connect, type Client } from "latticework/client";
import {
  startNode,
  type FailedSend,
  type FunctionStats,
  type Node,
  type NodeEvent,
  type NodeStats,
  type NodeStatus,
} from "latticework/node";
import { createTestCluster } from "latticework/testing";

declare const schema: StandardSchema<{ by: string }, { by: number }>;

const box = defineFunction({
  acks: "all",
  state: { count: crdt.counter(), notes: crdt.map<Value>() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.count.add(by);
      return ctx.state.count.value;
    },
    note: handler(schema, (ctx, { by }) => {
      ctx.state.notes.set(ctx.key, by);
    }),
  },
  queries: { total: (ctx) => ctx.state.count.value },
});
const functions = { box };
type Functions = typeof functions;

export async function nodes(): Promise<NodeStatus> {
  await using node = await startNode({
    functions,
    cluster: "shop",
    nodeId: "a",
    listen: { host: "127.0.0.1", port: 0 },
    advertise: "ws://127.0.0.1:7400",
    join: ["ws://127.0.0.1:7401"],
    minNodes: 2,
    zone: "west",
    weight: 0.5,
    replicas: 3,
    acks: 2,
    logger: "silent",
  });
  const typed: Node<Functions> = node;
  const total: number = await typed.get("box", "a").add(1);
  // @ts-expect-error unknown function
  node.get("bix", "a");
  // @ts-expect-error wrong input
  await node.get("box", "a").add("1");
  // @ts-expect-error a node watches nothing by itself
  node.watch();
  // @ts-expect-error unknown option
  await startNode({ functions, port: 7400 });
  // @ts-expect-error not a function definition
  await startNode({ functions: { plain: { total } } });
  // @ts-expect-error a node runs functions
  await startNode({ listen: { port: 0 } });
  // @ts-expect-error one join address is a list of one
  await startNode({ functions, join: "ws://127.0.0.1:7401" });
  node.forget("node-b");
  // @ts-expect-error a node is named by its id
  node.forget(2);
  await node.leave();
  await node.stopped;
  return node.status();
}

/** What a bill would be made of. */
export async function stats(node: Node<Functions>): Promise<number> {
  const { since, functions: all }: NodeStats = node.stats({ function: "box", keys: 10 });
  const [box]: readonly FunctionStats[] = all;
  const {
    calls = 0,
    failures = 0,
    cpuMs = 0,
    bytesIn = 0,
    bytesOut = 0,
    stateBytes = 0,
  } = box ?? {};
  const top: string | undefined = box?.top?.[0]?.key;
  // @ts-expect-error without `keys` there may be no `top`
  const none: readonly unknown[] = box?.top;
  // @ts-expect-error counters are only read
  if (box !== undefined) box.calls = 0;
  // @ts-expect-error keys are told by how many
  node.stats({ keys: "all" });
  // @ts-expect-error unknown option
  node.stats({ key: "a" });
  await using cluster = await createTestCluster({ functions });
  const same: NodeStats = cluster.node("node-1").stats();
  void [top, none, same.since];
  return since + calls + failures + cpuMs + bytesIn + bytesOut + stateBytes;
}

/** What an operator's program would make of each event. */
function told(event: NodeEvent): string | number {
  const { at } = event;
  switch (event.type) {
    case "member.joined":
      return event.address.length + event.boot + at;
    case "member.refuted": {
      const was: "suspect" | "dead" = event.was;
      return was;
    }
    case "owners.changed": {
      const [owner]: readonly string[] = event.added;
      // @ts-expect-error an event is only read
      event.partition = 1;
      return owner ?? event.partition;
    }
    case "outbox.failed": {
      const code: ErrorCode = event.code;
      const traceId: string = event.traceId ?? "";
      return code + event.call + traceId;
    }
    case "clock.skew": {
      const source: "wall" | "cluster" | "stamp" = event.source;
      return `${source} ${event.node} ${String(event.aheadMs)}`;
    }
    case "events.dropped":
      return event.count;
    // @ts-expect-error no event is called so
    case "member.vanished":
      return 0;
    default:
      // @ts-expect-error only some events concern one node
      return event.node;
  }
}

export async function events(node: Node<Functions>): Promise<void> {
  for await (const event of node.events()) {
    told(event);
    const dead: Extract<NodeEvent, { type: "member.dead" }> | undefined =
      event.type === "member.dead" ? event : undefined;
    if (dead?.node === node.id) break;
  }
  // @ts-expect-error a stream is asked for by a call
  node.events[Symbol.asyncIterator]();
  await using cluster = await createTestCluster({ functions });
  const { value } = await cluster.node("node-1").events().next();
  if (value !== undefined) told(value as NodeEvent);
}

/** What an operator's program would do with calls that were refused for good. */
export async function failures(node: Node<Functions>): Promise<void> {
  const failed: readonly FailedSend[] = node.failedSends({ function: "box", limit: 10 });
  for (const { sender, id, target, operation, input, code, at } of failed) {
    const why: ErrorCode = code;
    const sent: Value | undefined = input;
    if (why === "not_found" && sent === at) await node.discardFailed(sender, id);
    else if (target + operation !== "") await node.redeliver(sender, id);
  }
  // @ts-expect-error unknown option
  node.failedSends({ functions: "box" });
  // @ts-expect-error a call is named by its sender and its id
  await node.redeliver(failed[0]?.id);
  // @ts-expect-error what is listed is only read
  failed[0]!.code = "internal";
  await using cluster = await createTestCluster({ functions });
  const [first]: readonly FailedSend[] = cluster.node("node-1").failedSends();
  await cluster.node("node-2").redeliver("box/a", first?.id ?? "");
}

export async function clients(): Promise<ErrorCode | undefined> {
  await using client = await connect<Functions>({
    nodes: ["ws://127.0.0.1:7400"],
    cluster: "shop",
  });
  const typed: Client<Functions> = client;
  const handle: Handle<typeof box> = typed.get("box", "a");
  await handle.note({ by: "1" });
  const { value, copies, degraded, hops }: Reply<number> = await handle
    .with({ reply: "full", timeoutMs: 100, ordered: true, traceparent: "00-…" })
    .add(1);
  for await (const { count, notes } of handle.watch()) {
    const sum: number = count + value + copies + hops;
    const note: Value | undefined = notes["a"];
    if (degraded || note === sum) break;
  }
  // @ts-expect-error unknown function
  client.get("bix", "a");
  // @ts-expect-error unknown handler
  await handle.subtract(1);
  // @ts-expect-error callers give what the schema takes
  await handle.note({ by: 1 });
  // @ts-expect-error wrong name of an option
  await connect<Functions>({ node: "ws://127.0.0.1:7400" });
  // @ts-expect-error no join address
  await connect<Functions>({});
  try {
    await handle.add(1);
  } catch (error) {
    if (error instanceof LatticeError) return error.code;
    throw error;
  }
  return undefined;
}

export async function clusters(): Promise<number> {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 1 });
  const handle = cluster.client.get("box", "a");
  await handle.add(1);
  const primary: string = cluster.primaryOf("box", "a");
  cluster.crash(primary);
  await cluster.settled();
  // @ts-expect-error unknown function
  cluster.client.get("bix", "a");
  // @ts-expect-error unknown function
  cluster.primaryOf("bix", "a");
  // @ts-expect-error wrong input
  await handle.add({ by: 1 });
  // @ts-expect-error a simulated cluster runs functions
  await createTestCluster({ nodes: 5, seed: 1 });
  return await handle.total();
}
