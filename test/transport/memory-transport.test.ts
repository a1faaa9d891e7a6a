import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import type { VirtualNode } from "../../src/platform/virtual/virtual-node.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { LinkModel } from "../../src/transport/memory-pipe.ts";
import { MemoryNetwork } from "../../src/transport/memory-network.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { Recorder } from "../../src/testing/conformance/recorder.ts";
import { transportConformance } from "../../src/testing/conformance/transport.ts";
import { conform } from "../support/conform.ts";

const slowLink: LinkModel = { delayMs: (random) => 20 * random(), bytesPerMs: 10_000 };

for (const [name, link] of [
  ["fast", undefined],
  ["slow and jittery", slowLink],
] as const) {
  conform(
    `transport: memory, ${name}, on virtual time`,
    transportConformance(() => {
      const world = new World(link);
      return {
        dialler: world.transport("a"),
        listener: world.transport("b"),
        wait: (promise) => world.time.settled(promise),
        refusingAddress: () => Promise.resolve("ws://b:1"),
        silentAddress() {
          world.network.cut("a", "gone");
          return Promise.resolve("ws://gone:1");
        },
        refusedType: "refused",
        dispose: () => Promise.resolve(),
      };
    }),
  );
}

const real = nodePlatform({ logLevel: "silent" });
after(() => {
  real.close();
});

conform(
  "transport: memory, on real time",
  transportConformance(() => {
    const { clock, timers, random } = real;
    const network = new MemoryNetwork({ clock, timers, random });
    network.cut("a", "gone");
    return {
      dialler: network.transportFor("a", timers),
      listener: network.transportFor("b", timers),
      wait: (promise) => promise,
      refusingAddress: () => Promise.resolve("ws://b:1"),
      silentAddress: () => Promise.resolve("ws://gone:1"),
      refusedType: "refused",
      dispose: () => Promise.resolve(),
    };
  }),
);

class World {
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly nodes = new Map<string, VirtualNode>();

  constructor(link?: LinkModel, seed = 1) {
    this.time = new VirtualTime({ seed });
    const { clock, timers, random } = this.time;
    this.network = new MemoryNetwork({
      clock,
      timers,
      random,
      ...(link === undefined ? {} : { link }),
    });
  }

  transport(name: string): Transport {
    const node = this.time.node(name);
    this.nodes.set(name, node);
    return this.network.transportFor(name, node.input);
  }

  /** SIGKILL. */
  crash(name: string): void {
    this.nodes.get(name)?.stop();
    this.network.crash(name);
  }

  powerOff(name: string): void {
    this.nodes.get(name)?.stop();
    this.network.powerOff(name);
  }
}

async function pair(world: World): Promise<{ a: Recorder; b: Recorder; from: Transport }> {
  const [from, to] = [world.transport("a"), world.transport("b")];
  const b = new Recorder();
  const listening = to.listen({ port: 7400 }, (connection) => {
    b.connection = connection;
    return b;
  });
  await world.time.settled(listening);
  const a = dial(from, "ws://b:7400");
  await world.time.settled(a.opened());
  assert.deepEqual(a.events, ["open"]);
  return { a, b, from };
}

function dial(transport: Transport, address: string): Recorder {
  const recorder = new Recorder();
  recorder.connection = transport.dial(address, recorder);
  return recorder;
}

function send(from: Recorder, ...numbers: number[]): void {
  for (const number of numbers) from.connection.send(Uint8Array.of(number));
}

function got(recorder: Recorder): number[] {
  return recorder.frames.map((frame) => frame[0] ?? -1);
}

describe("a network in memory", () => {
  test("holds what is sent while it is cut, and delivers it in order after the heal", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    send(a, 1);
    await world.time.sleep(10);
    world.network.cut("a", "b");
    send(a, 2, 3);
    await world.time.sleep(5000);
    assert.deepEqual(got(b), [1]);
    assert.equal(a.connection.state, "open");
    world.network.heal("a", "b");
    send(a, 4);
    await world.time.sleep(10);
    assert.deepEqual(got(b), [1, 2, 3, 4]);
  });

  test("can be cut in one direction only", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    world.network.cutOneWay("a", "b");
    send(a, 1);
    send(b, 2);
    await world.time.sleep(1000);
    assert.deepEqual([got(a), got(b)], [[2], []]);
  });

  test("a silent half-open connection is lost after a ping without an answer, at both ends", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    world.network.cut("a", "b");
    await world.time.sleep(24_000);
    assert.equal(a.endType, "");
    await world.time.sleep(2000);
    assert.equal(a.endType, "lost");
    assert.equal(b.endType, "lost");
    assert.equal(world.network.connectionCount(), 0);
  });

  test("an idle connection over a whole network stays open for ever", async () => {
    const world = new World(slowLink);
    const { a, b } = await pair(world);
    await world.time.sleep(600_000);
    send(a, 1);
    await world.time.sleep(100);
    assert.deepEqual(got(b), [1]);
  });

  test("a sender is dropped when nothing gets away for too long, or too much waits", async () => {
    const world = new World();
    const { a } = await pair(world);
    world.network.cutOneWay("a", "b");
    a.connection.send(new Uint8Array(1024 * 1024));
    await world.time.sleep(9000);
    assert.equal(a.endType, "");
    await world.time.sleep(1100);
    assert.match(a.endMessage, /stuck/);

    const other = new World();
    const { a: flooding } = await pair(other);
    other.network.cut("a", "b");
    for (let i = 0; i < 20; i++) flooding.connection.send(new Uint8Array(1024 * 1024));
    await other.time.sleep(1);
    assert.match(flooding.endMessage, /too many bytes/);
  });

  test("a crash is told to peers, and later dials are refused until the host is back", async () => {
    const world = new World();
    const { a, b, from } = await pair(world);
    world.crash("b");
    await world.time.settled(a.closed());
    assert.equal(a.endType, "lost");
    assert.equal(b.endType, "", "a dead process is told nothing");
    const refused = dial(from, "ws://b:7400");
    await world.time.settled(refused.closed());
    assert.equal(refused.endType, "refused");
    const again = world.transport("b");
    await world.time.settled(again.listen({ port: 7400 }, () => new Recorder()));
    const fresh = dial(from, "ws://b:7400");
    await world.time.settled(fresh.opened());
    assert.deepEqual(fresh.events, ["open"]);
  });

  test("of what is on its way at a crash, a beginning arrives, of random length", async () => {
    const lengths = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const world = new World({ delayMs: () => 50, bytesPerMs: 1000 }, seed);
      const { a, b } = await pair(world);
      send(b, 0, 1, 2, 3, 4, 5, 6, 7);
      world.crash("b");
      await world.time.settled(a.closed());
      assert.deepEqual(got(a), [0, 1, 2, 3, 4, 5, 6, 7].slice(0, a.frames.length));
      lengths.add(a.frames.length);
    }
    assert.deepEqual(
      [...lengths].sort((x, y) => x - y),
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
    );
  });

  test("a power failure is not told: peers find out by asking, dials time out", async () => {
    const world = new World();
    const { a, from } = await pair(world);
    world.powerOff("b");
    const timedOut = dial(from, "ws://b:7400");
    await world.time.sleep(4000);
    assert.equal(timedOut.endType, "");
    await world.time.sleep(1500);
    assert.equal(timedOut.endType, "unreachable");
    assert.equal(a.endType, "");
    await world.time.sleep(25_000);
    assert.equal(a.endType, "lost");
  });

  test("a machine that is back resets connections of its earlier life", async () => {
    const world = new World();
    const { a } = await pair(world);
    world.powerOff("b");
    world.transport("b");
    send(a, 1);
    await world.time.sleep(100);
    assert.equal(a.endType, "lost");
  });

  test("a reset breaks the connections between two hosts and no others", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    const c = dial(world.transport("c"), "ws://b:7400");
    await world.time.settled(c.opened());
    assert.equal(world.network.reset("b", "a"), 1);
    await world.time.sleep(10);
    assert.deepEqual([a.endType, c.endType], ["lost", ""]);
    assert.equal(b.endCount, 1);
  });

  test("a paused host lets dials time out, and reads what waited when it goes on", async () => {
    const world = new World();
    const { a, b, from } = await pair(world);
    const node = world.nodes.get("b");
    node?.pause();
    send(a, 1, 2);
    const late = dial(from, "ws://b:7400");
    await world.time.sleep(6000);
    assert.equal(late.endType, "unreachable");
    assert.deepEqual(got(b), []);
    node?.resume();
    await world.time.sleep(10);
    assert.deepEqual(got(b), [1, 2]);
    assert.equal(world.network.connectionCount(), 2, "the dial that gave up left nothing behind");
  });

  test("a pause of the one who pings is not held against its peer", async () => {
    const world = new World();
    const { a } = await pair(world);
    const node = world.nodes.get("a");
    await world.time.sleep(15_000.05);
    node?.pause();
    await world.time.sleep(60_000);
    node?.resume();
    await world.time.sleep(1000);
    // The peer heard nothing for a minute and dropped the connection; that is why it is lost.
    assert.match(a.endMessage, /broke/);
  });

  test("a ping that was answered during a pause of the one who asked counts as answered", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    const node = world.nodes.get("a");
    await world.time.sleep(10_000);
    send(a, 1);
    await world.time.sleep(5000.02);
    // The ping is on its way; the answer comes at once, and is read after its time is up.
    node?.pause();
    await world.time.sleep(11_000);
    node?.resume();
    await world.time.sleep(10);
    assert.deepEqual([a.endType, b.endType], ["", ""]);
  });

  test("an end that accepted a dial which was given up learns that nobody came", async () => {
    const world = new World();
    const [from, to] = [world.transport("a"), world.transport("b")];
    const accepted = new Recorder();
    await world.time.settled(to.listen({ port: 7400 }, () => accepted));
    world.network.cutOneWay("b", "a");
    const dialled = dial(from, "ws://b:7400");
    await world.time.sleep(6000);
    assert.equal(dialled.endType, "unreachable");
    assert.equal(accepted.endType, "lost");
    assert.equal(world.network.connectionCount(), 0);
  });

  test("delays follow the link's own distribution and never reorder", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    world.network.setLink("a", "b", { delayMs: (random) => 1000 * random(), bytesPerMs: 1e6 });
    for (let i = 0; i < 100; i++) {
      world.time.timers.after(i, () => {
        send(a, i);
      });
    }
    await world.time.sleep(2000);
    assert.deepEqual(
      got(b),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  test("bandwidth is a limit", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    world.network.setLink("a", "b", { delayMs: () => 1, bytesPerMs: 1000 });
    const sentAt = world.time.now;
    a.connection.send(new Uint8Array(500_000));
    await world.time.settled(b.until(() => b.frames.length === 1));
    assert.ok(Math.abs(world.time.now - sentAt - 501) < 0.01);
  });

  test("finds out who writes to a frame after sending it, and who writes to a received one", async () => {
    const world = new World();
    const { a, b } = await pair(world);
    const frame = Uint8Array.of(1, 2, 3);
    a.connection.send(frame);
    await world.time.sleep(10);
    b.frames[0]?.fill(9);
    assert.deepEqual(frame, Uint8Array.of(1, 2, 3));
    a.connection.send(frame);
    frame[1] = 0;
    await assert.rejects(
      world.time.sleep(10),
      /3 bytes was written to after it was sent, at byte 1/,
    );
  });

  test("a host that is up cannot be started twice", () => {
    const world = new World();
    world.transport("a");
    assert.throws(() => world.transport("a"), /already_exists|host a is up/);
  });

  test("the same seed gives the same run, another seed another one", async () => {
    const run = async (seed: number): Promise<string> => {
      const world = new World(slowLink, seed);
      const { a, b } = await pair(world);
      const log: string[] = [];
      a.frame = (frame) => {
        log.push(`a ${String(frame[0])} ${String(world.time.now)}`);
      };
      b.frame = (frame) => {
        log.push(`b ${String(frame[0])} ${String(world.time.now)}`);
        send(b, frame[0] ?? 0);
      };
      for (let i = 0; i < 50; i++) send(a, i);
      await world.time.sleep(5000);
      return log.join("\n");
    };
    assert.equal(await run(1), await run(1));
    assert.notEqual(await run(1), await run(2));
  });
});
