import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { get } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";
import { connect, createServer } from "node:net";
import { after, describe, test } from "node:test";
import { promisify } from "node:util";
import { WebSocket } from "ws";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import type { BrowserSocketConstructor } from "../../src/transport/browser/websocket-transport.ts";
import { BrowserWebSocketTransport } from "../../src/transport/browser/websocket-transport.ts";
import { unfinishedHandshakeCountMax } from "../../src/transport/limits.ts";
import type { WebSocketListener } from "../../src/transport/node/websocket-listener.ts";
import { WebSocketTransport } from "../../src/transport/node/websocket-transport.ts";
import type { WebSocketTransportOptions } from "../../src/transport/node/websocket-transport.ts";
import { Recorder } from "../../src/testing/conformance/recorder.ts";
import { transportConformance } from "../../src/testing/conformance/transport.ts";
import { conform } from "../support/conform.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";

const platform = nodePlatform({ logLevel: "silent" });
const { timers } = platform;
const cleanups: (() => Promise<void> | void)[] = [
  () => {
    platform.close();
  },
];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

/** A port of this machine where nobody listens: one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await bound(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function bound(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** Accepts connections and says nothing. */
async function silentAddress(): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
  });
  const port = await bound(server);
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${String(port)}`;
}

const shared = {
  wait: <T>(promise: Promise<T>) => promise,
  refusingAddress: async () => `ws://127.0.0.1:${String(await freePort())}`,
  silentAddress,
};

conform(
  "transport: WebSockets of Node",
  transportConformance(() => {
    const transport = new WebSocketTransport(timers);
    return {
      ...shared,
      dialler: transport,
      listener: transport,
      refusedType: "refused",
      dispose: () => Promise.resolve(),
    };
  }),
);

// `ws` has the interface of the browser's; that one itself is run in Chromium.
conform(
  "transport: WebSockets of a browser, towards Node",
  transportConformance(() => ({
    ...shared,
    dialler: new BrowserWebSocketTransport(
      timers,
      WebSocket as unknown as BrowserSocketConstructor,
    ),
    listener: new WebSocketTransport(timers),
    refusedType: "unreachable",
    dispose: () => Promise.resolve(),
  })),
);

interface Pair {
  readonly transport: WebSocketTransport;
  readonly listener: WebSocketListener;
  readonly proxy: TcpProxy;
  readonly dialled: Recorder;
  readonly accepted: Recorder;
}

/** Two ends with a proxy between them that can break the network. */
async function pairByProxy(options: WebSocketTransportOptions): Promise<Pair> {
  const transport = new WebSocketTransport(timers, options);
  const accepted = new Recorder();
  const listener = await transport.listen({ port: 0 }, (connection) => {
    accepted.connection = connection;
    return accepted;
  });
  const proxy = await TcpProxy.start({ targetPort: portOf(listener) });
  const dialled = new Recorder();
  dialled.connection = transport.dial(proxy.address, dialled);
  await dialled.opened();
  cleanups.push(async () => {
    await proxy.close();
    await listener.close();
  });
  return { transport, listener, proxy, dialled, accepted };
}

function portOf(listener: { readonly address: string }): number {
  return Number(new URL(listener.address).port);
}

async function listenAlone(): Promise<{ listener: WebSocketListener; accepted: Recorder[] }> {
  const transport = new WebSocketTransport(timers);
  const accepted: Recorder[] = [];
  const listener = await transport.listen({ port: 0 }, (connection) => {
    const recorder = new Recorder();
    recorder.connection = connection;
    accepted.push(recorder);
    return recorder;
  });
  cleanups.push(() => listener.close());
  return { listener, accepted };
}

describe("half-open WebSockets", () => {
  test("a peer that fell silent is lost after a ping without an answer", async () => {
    const { proxy, dialled, accepted, transport } = await pairByProxy({
      silentMs: 100,
      pongTimeoutMs: 100,
    });
    proxy.cut();
    await Promise.all([dialled.closed(), accepted.closed()]);
    assert.match(dialled.endMessage, /silent/);
    assert.match(accepted.endMessage, /silent/);
    assert.equal(transport.connectionCount, 0);
  });

  test("a peer that answers pings stays, however silent", async () => {
    const { dialled, accepted } = await pairByProxy({ silentMs: 20, pongTimeoutMs: 40 });
    await new Promise((resolve) => timers.after(400, () => resolve(undefined)));
    assert.deepEqual([dialled.endCount, accepted.endCount], [0, 0]);
    dialled.connection.terminate();
    await accepted.closed();
  });

  test("a peer that does not read is dropped when it is stuck", async () => {
    const { proxy, dialled, accepted } = await pairByProxy({
      stuckMs: 100,
      maxBufferedBytes: 64 * 1024 * 1024,
    });
    proxy.cut("up");
    // More than all the buffers on the way hold together.
    for (let i = 0; i < 24; i++) dialled.connection.send(new Uint8Array(1024 * 1024));
    await dialled.closed();
    assert.match(dialled.endMessage, /stuck with \d+ bytes/);
    assert.equal(accepted.endCount, 0, "the other end does not know yet");
    proxy.reset();
    await accepted.closed();
  });

  test("a peer that does not read is dropped when more than the limit waits", async () => {
    const { proxy, dialled, accepted } = await pairByProxy({ maxBufferedBytes: 2 * 1024 * 1024 });
    proxy.cut("up");
    for (let i = 0; i < 64 && dialled.connection.state === "open"; i++) {
      dialled.connection.send(new Uint8Array(1024 * 1024));
    }
    await dialled.closed();
    assert.match(dialled.endMessage, /bytes wait and the peer does not read/);
    proxy.reset();
    await accepted.closed();
  });

  test("a close whose answer does not come ends as lost", { timeout: 20_000 }, async () => {
    const { proxy, dialled, accepted } = await pairByProxy({});
    proxy.cut();
    dialled.connection.close(4000, "bye");
    await dialled.closed();
    assert.equal(dialled.endType, "lost");
    proxy.reset();
    await accepted.closed();
  });

  test("a reset is lost at both ends, and what was cut arrives after the heal", async () => {
    const { proxy, dialled, accepted } = await pairByProxy({});
    proxy.cut();
    dialled.connection.send(Uint8Array.of(1));
    accepted.connection.send(Uint8Array.of(2));
    proxy.heal();
    await accepted.until(() => accepted.frames.length === 1);
    await dialled.until(() => dialled.frames.length === 1);
    proxy.reset();
    await Promise.all([dialled.closed(), accepted.closed()]);
    assert.deepEqual([dialled.endType, accepted.endType], ["lost", "lost"]);
  });
});

describe("the HTTP server of a node", () => {
  const upgradeHeaders = (host: string, extra = ""): string =>
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n${extra}\r\n`;

  /** Sends bytes as they are and returns the status line of the answer. */
  function knock(port: number, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => socket.write(text));
      socket.on("error", reject);
      socket.once("data", (data) => {
        socket.destroy();
        resolve(data.toString("latin1").split("\r\n")[0] ?? "");
      });
    });
  }

  test("upgrades only requests whose Host and Origin are of this machine", async () => {
    const { listener } = await listenAlone();
    const port = portOf(listener);
    const here = [
      "127.0.0.1",
      "localhost",
      "LOCALHOST:7400",
      `127.0.0.1:${String(port)}`,
      "[::1]:1",
    ];
    for (const host of here) assert.match(await knock(port, upgradeHeaders(host)), / 101 /, host);
    const foreign = [
      "evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
      "127.0.0.1@evil.example",
      "127.1",
      "2130706433",
      "0.0.0.0",
      "[::ffff:127.0.0.1]",
      "127.0.0.1:x",
      "127.0.0.1:80:80",
      "::1",
      "localhost.",
      "",
    ];
    for (const host of foreign)
      assert.match(await knock(port, upgradeHeaders(host)), / 403 /, host);
    const origin = (value: string): string => upgradeHeaders("127.0.0.1", `Origin: ${value}\r\n`);
    for (const value of ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8"]) {
      assert.match(await knock(port, origin(value)), / 101 /, value);
    }
    const foreignOrigins = [
      "https://evil.example",
      "null",
      "http://localhost.evil.example",
      "file://",
    ];
    for (const value of foreignOrigins)
      assert.match(await knock(port, origin(value)), / 403 /, value);
  });

  test("offers requests and upgrades to those who registered, in order, and refuses the rest", async () => {
    const { listener, accepted } = await listenAlone();
    const port = portOf(listener);
    const asked: string[] = [];
    const remove = listener.onRequest((request, response) => {
      asked.push(`first ${request.url ?? ""}`);
      if (request.url !== "/mine") return false;
      response.end("mine");
      return true;
    });
    listener.onRequest((request) => {
      asked.push(`second ${request.url ?? ""}`);
      return false;
    });
    const status = (path: string): Promise<number> =>
      new Promise((resolve, reject) => {
        get({ port, host: "127.0.0.1", path, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        }).on("error", reject);
      });
    assert.equal(await status("/mine"), 200);
    assert.equal(await status("/other"), 404);
    remove();
    remove();
    assert.equal(await status("/mine"), 404);
    assert.deepEqual(asked, ["first /mine", "first /other", "second /other", "second /mine"]);

    listener.onUpgrade((request, socket) => {
      if (request.url !== "/yjs/a") return false;
      socket.end("HTTP/1.1 418 Mine\r\n\r\n");
      return true;
    });
    const upgrade = (path: string): string =>
      upgradeHeaders("localhost").replace(" / ", ` ${path} `);
    assert.match(await knock(port, upgrade("/yjs/a")), / 418 /);
    assert.match(await knock(port, upgrade("/nobody")), / 404 /);
    assert.equal(accepted.length, 0);
    assert.match(await knock(port, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), / 403 /);
  });

  test("refuses garbage, floods of headers and broken upgrades without harm", async () => {
    const { listener, accepted } = await listenAlone();
    const port = portOf(listener);
    assert.match(await knock(port, "\u0000\u0001garbage\r\n\r\n"), / 400 /);
    const flood = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(10_000)}\r\n\r\n`;
    assert.match(await knock(port, flood), / 431 /);
    assert.match(await knock(port, upgradeHeaders("localhost").replace("13", "1")), / 400 /);
    assert.match(await knock(port, upgradeHeaders("localhost").replace("dGhl", "")), / 400 /);
    assert.match(await knock(port, upgradeHeaders("localhost")), / 101 /);
    assert.equal(accepted.length, 1);
  });

  test("drops sockets beyond the limit of unfinished handshakes, and serves when they are gone", async () => {
    const { listener, accepted } = await listenAlone();
    const port = portOf(listener);
    const sockets: Socket[] = [];
    for (let i = 0; i < unfinishedHandshakeCountMax; i++) {
      const socket = connect(port, "127.0.0.1");
      sockets.push(socket);
      await new Promise((resolve) => socket.once("connect", resolve));
    }
    // The server has seen them all once a later one has been dropped.
    const extra = connect(port, "127.0.0.1");
    extra.on("error", () => undefined);
    extra.resume();
    await new Promise((resolve) => extra.once("close", resolve));
    for (const socket of sockets) {
      socket.destroy();
      await new Promise((resolve) => socket.once("close", resolve));
    }
    const recorder = new Recorder();
    const transport = new WebSocketTransport(timers);
    for (let i = 0; i < 100 && !recorder.events.includes("open"); i++) {
      recorder.ended = undefined;
      recorder.connection = transport.dial(listener.address, recorder);
      await recorder.opened();
    }
    assert.ok(recorder.events.includes("open"));
    recorder.connection.terminate();
    await recorder.closed();
    await accepted[0]?.closed();
  });

  test("closes a connection that speaks text or not WebSocket at all", async () => {
    const { listener, accepted } = await listenAlone();
    const text = new WebSocket(listener.address);
    const code = new Promise<number>((resolve) => text.once("close", resolve));
    text.once("open", () => {
      text.send("hello");
      text.send(Buffer.from([1]));
    });
    assert.equal(await code, 1003);
    await accepted[0]?.closed();
    assert.equal(accepted[0]?.ended?.code, 1003);
    assert.deepEqual(accepted[0].frames, []);

    const socket = connect(portOf(listener), "127.0.0.1", () => {
      socket.write(upgradeHeaders("localhost"));
      socket.once("data", () => socket.write(Buffer.alloc(64, 0xff)));
    });
    await new Promise((resolve) => socket.once("close", resolve));
    await accepted[1]?.closed();
    assert.equal(accepted[1]?.ended?.code, 1002);
  });

  test("binds every spelling of loopback that it accepts, and says which", async () => {
    const transport = new WebSocketTransport(timers);
    const nobody = (): Recorder => new Recorder();
    const four = await transport.listen({ host: "127.0.0.1", port: 0 }, nobody);
    assert.match(four.address, /^ws:\/\/127\.0\.0\.1:\d+$/);
    await four.close();
    const named = await transport.listen({ host: "localhost", port: 0 }, nobody);
    assert.match(named.address, /^ws:\/\/(127\.0\.0\.1|\[::1\]):\d+$/);
    await named.close();
  });

  test("an answer that is not a WebSocket ends the dial and says what came", async () => {
    const { listener } = await listenAlone();
    const recorder = new Recorder();
    recorder.connection = new WebSocketTransport(timers).dial(
      `${listener.address}/nobody`,
      recorder,
    );
    await recorder.closed();
    assert.equal(recorder.endType, "unreachable");
    assert.match(recorder.endMessage, /404/);
  });
});

test("a process ends by itself once its connections and listeners are closed", async () => {
  const script = `
    import { nodePlatform } from "./src/platform/node/node-platform.ts";
    import { WebSocketTransport } from "./src/transport/node/websocket-transport.ts";
    const transport = new WebSocketTransport(nodePlatform().timers);
    const end = { frame() {}, close() {} };
    const listener = await transport.listen({ port: 0 }, () => end);
    transport.dial("ws://127.0.0.1:1", end);
    const connection = transport.dial(listener.address, {
      ...end,
      open() { connection.close(1000, "done"); void listener.close(); },
    });`;
  await promisify(execFile)(process.execPath, ["--import", "tsx", "-e", script], {
    cwd: new URL("../..", import.meta.url),
    timeout: 20_000,
  });
});
