/**
 * Strangers on a real node's port: garbage, damaged frames, half a hello, connections that say
 * nothing. The node closes them and goes on serving everybody else. `FUZZ_SEED=n` repeats a run.
 */
import assert from "node:assert/strict";
import { createConnection } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connect, type Client } from "latticework/client";
import { WebSocket } from "ws";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { seededRandom } from "../../src/platform/seeded-random.ts";
import { protocolMax, protocolMin } from "../../src/wire/agreement.ts";
import { LinkEncoder } from "../../src/wire/link-codec.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type { CallMessage, HelloMessage } from "../../src/wire/messages.ts";
import type { Functions } from "./functions/hostile.ts";

const functionsFile = fileURLToPath(new URL("functions/hostile.ts", import.meta.url));
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);
const random = seededRandom(seed);
const damagedCount = 400;
/** Strangers at once; a node takes 16 unfinished hand shakes per address. */
const strangersAtOnce = 8;
const closedWithinMs = 12_000;

let node: NodeProcess;
let client: Client<Functions>;

before(async () => {
  node = await NodeProcess.start(["--port", "0", "--functions", functionsFile]);
  client = await connect<Functions>({ nodes: [node.address] });
  await client.get("fragile", "witness").add(1);
});

after(async () => {
  await client.close();
  await node.kill();
});

/** The node runs, its old client too, and a new one is let in. */
async function stillServes(): Promise<void> {
  assert.equal(await client.get("fragile", "witness").count(), 1, `seed ${String(seed)}`);
  const fresh = await connect<Functions>({ nodes: [node.address] });
  assert.equal(await fresh.get("fragile", "witness").count(), 1, `seed ${String(seed)}`);
  assert.equal(await fresh.get("fragile", "witness").polluted(), 0);
  await fresh.close();
}

function below(limit: number): number {
  return Math.floor(random() * limit);
}

function noise(length: number): Uint8Array {
  return Uint8Array.from({ length }, () => below(256));
}

const hello: HelloMessage = {
  type: "hello",
  protocolMin,
  protocolMax,
  features: [],
  channel: "data",
  cluster: "",
};

const call: CallMessage = {
  type: "call",
  id: 1,
  partition: 0,
  tableId: 0,
  hop: 1,
  flags: 0,
  functionName: "fragile",
  key: "fuzzed",
  operation: "add",
  input: new Uint8Array([1]),
  timeoutMs: 400,
  caller: "fuzz",
  number: 1,
  received: 0,
  acks: 0,
  ageTime: 0,
  ageId: "",
  chain: [],
  seen: undefined,
  trace: "",
};

/** Well-formed frames of a client that says hello, calls, and calls another key; one per message. */
function frames(): Uint8Array[] {
  const encoder = new LinkEncoder(nodeFrameLimits);
  const taken: Uint8Array[] = [];
  const takeAll = (): void => {
    for (let frame = encoder.take(); frame !== undefined; frame = encoder.take()) taken.push(frame);
  };
  encoder.write(hello);
  takeAll();
  encoder.become("from-client");
  encoder.write(call);
  takeAll();
  encoder.write({ ...call, id: 2, key: "hurt", number: 2, received: 1 });
  takeAll();
  return taken;
}

/** One of: cut short, some bytes changed, bytes added, a length that lies. */
function damaged(frame: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(frame);
  switch (below(4)) {
    case 0:
      return copy.subarray(0, below(copy.length));
    case 1:
      for (let n = 0; n <= below(4); n++) copy[below(copy.length)] = below(256);
      return copy;
    case 2:
      return Uint8Array.from([...copy, ...noise(1 + below(64))]);
    default:
      copy.set(
        [255, 255, 255, 255].slice(0, 1 + below(4)),
        Math.min(1 + below(4), copy.length - 4),
      );
      return copy;
  }
}

/** Opens a WebSocket, sends these frames and resolves with the code when the node closes it. */
function stranger(send: readonly (Uint8Array | string)[], waitMs: number): Promise<number> {
  const socket = new WebSocket(node.address);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      socket.terminate();
    }, waitMs);
    socket.on("open", () => {
      for (const frame of send) socket.send(frame);
    });
    socket.on("error", () => {
      socket.terminate();
    });
    socket.on("close", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}

async function inParallel(count: number, run: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await run(next++);
  };
  await Promise.all(Array.from({ length: strangersAtOnce }, worker));
}

test("noise as the first frame is closed with a code of the protocol", async () => {
  await inParallel(60, async () => {
    const code = await stranger([noise(1 + below(2_000))], closedWithinMs);
    assert.ok(code >= 1002 && code !== 1006, `code ${String(code)}, seed ${String(seed)}`);
  });
  await stillServes();
});

test("damaged frames after a good hello end at most their own connection", async () => {
  const [first, second, third] = frames() as [Uint8Array, Uint8Array, Uint8Array];
  await inParallel(damagedCount, async (n) => {
    const send = n % 4 === 0 ? [damaged(first)] : [first, second, damaged(third), noise(20)];
    await stranger(send, 300);
  });
  await stillServes();
  // The good call before the damage arrived, and was one and the same call each time.
  assert.equal(await client.get("fragile", "fuzzed").count(), 1, `seed ${String(seed)}`);
});

test("text frames, empty frames and frames beyond the limit are closed", async () => {
  assert.notEqual(await stranger(["hello?"], closedWithinMs), 1000);
  assert.notEqual(await stranger([new Uint8Array(0)], closedWithinMs), 1000);
  const tooLarge = await stranger([new Uint8Array(9_000)], closedWithinMs);
  assert.notEqual(tooLarge, 1000);
  const [first] = frames() as [Uint8Array];
  await stranger([first, new Uint8Array(17 * 1024 * 1024)], closedWithinMs);
  await stillServes();
});

test("a hello that never ends, and none at all, are closed after five seconds", async () => {
  const [first] = frames() as [Uint8Array];
  const silent = [stranger([], closedWithinMs), stranger([], closedWithinMs)];
  const half = stranger([first.subarray(0, 5)], closedWithinMs);
  const startedAt = performance.now();
  for (const code of await Promise.all([...silent, half])) assert.notEqual(code, 1006);
  assert.ok(performance.now() - startedAt < closedWithinMs);
  await stillServes();
});

test("bytes that are no HTTP, and an HTTP request that never ends, do not stop the node", async () => {
  const { port } = new URL(node.address);
  const sockets = Array.from({ length: 40 }, (_, n) => {
    const socket = createConnection(Number(port), "127.0.0.1");
    socket.on("error", () => {
      socket.destroy();
    });
    if (n % 2 === 0) socket.write(noise(500));
    else socket.write("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nX: ");
    return socket;
  });
  await stillServes();
  for (const socket of sockets) socket.destroy();
  await stillServes();
});

test("the node still runs, as the process it was", async () => {
  const status = await node.status();
  assert.equal(status.ready, true);
  assert.equal(status.members.length, 1);
  assert.doesNotMatch(node.output, /TypeError|RangeError|AssertionError/);
});
