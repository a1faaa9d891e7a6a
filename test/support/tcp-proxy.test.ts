import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { after, describe, test } from "node:test";
import { TcpProxy } from "./tcp-proxy.ts";

const cleanups: (() => Promise<void>)[] = [];
after(async () => {
  for (const clean of cleanups.reverse()) await clean();
});

/** Echoes what it gets; `close` also drops its connections, as a killed process would. */
async function startEcho(port = 0): Promise<{ port: number; kill: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => sockets.delete(socket));
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(port, "127.0.0.1", () => {
      resolve();
    });
  });
  const kill = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      for (const socket of sockets) socket.resetAndDestroy();
    });
  return { port: (server.address() as AddressInfo).port, kill };
}

async function setUp(): Promise<{ proxy: TcpProxy; kill: () => Promise<void>; port: number }> {
  const { port, kill } = await startEcho();
  const proxy = await TcpProxy.start({ targetPort: port });
  cleanups.push(kill, () => proxy.close());
  return { proxy, kill, port };
}

class Client {
  readonly socket: Socket;
  text = "";
  ending = "";
  #wake = (): void => undefined;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    this.socket.on("data", (data) => {
      this.text += data.toString("latin1");
      this.#wake();
    });
    this.socket.on("end", () => {
      this.ending ||= "end";
      this.#wake();
    });
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      this.ending ||= error.code ?? error.message;
    });
    this.socket.on("close", () => {
      this.#wake();
    });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A round of real input and output that has nothing to do with the proxy under test. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

describe("TCP proxy", () => {
  test("passes bytes in both directions, whole and in order, and half-closes", async () => {
    const { proxy } = await setUp();
    const client = new Client(proxy.port);
    const sent = Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(33 + (i % 90))).join(
      "",
    );
    client.socket.end(sent, "latin1");
    await client.until(() => client.ending === "end");
    assert.equal(client.text, sent);
    assert.equal(proxy.forwardedBytes, 100_000);
  });

  test("delays each direction", async () => {
    const { proxy } = await setUp();
    proxy.delay(40);
    const client = new Client(proxy.port);
    const sentAt = performance.now();
    client.socket.write("x");
    await client.until(() => client.text === "x");
    assert.ok(performance.now() - sentAt >= 80);
  });

  test("throttles", async () => {
    const { proxy } = await setUp();
    proxy.throttle(1000);
    const client = new Client(proxy.port);
    const sentAt = performance.now();
    client.socket.write("x".repeat(100_000));
    await client.until(() => client.text.length === 100_000);
    assert.ok(performance.now() - sentAt >= 100);
  });

  test("holds a direction that is cut, tells nobody, and passes all on after the heal", async () => {
    const { proxy } = await setUp();
    const client = new Client(proxy.port);
    client.socket.write("a");
    await client.until(() => client.text === "a");
    proxy.cut("down");
    client.socket.write("b");
    await pass(50);
    proxy.cut();
    client.socket.end("c");
    await pass(50);
    assert.deepEqual([client.text, client.ending], ["a", ""]);
    proxy.heal();
    await client.until(() => client.ending !== "");
    assert.deepEqual([client.text, client.ending], ["abc", "end"]);
  });

  test("hides the death of the target while cut, and tells it after the heal", async () => {
    const { proxy, kill } = await setUp();
    const client = new Client(proxy.port);
    client.socket.write("a");
    await client.until(() => client.text === "a");
    proxy.cut();
    await kill();
    await pass(50);
    assert.equal(client.ending, "");
    proxy.heal();
    await client.until(() => client.ending !== "");
    assert.equal(client.ending, "ECONNRESET");
  });

  test("stops reading when much is held, so that the sender feels it", async () => {
    const { proxy } = await setUp();
    const client = new Client(proxy.port);
    proxy.cut();
    client.socket.write(Buffer.alloc(32 * 1024 * 1024));
    await pass(100);
    assert.ok(client.socket.writableLength > 0);
    client.socket.destroy();
  });

  test("resets all connections at will", async () => {
    const { proxy } = await setUp();
    const clients = [new Client(proxy.port), new Client(proxy.port)];
    for (const client of clients) {
      client.socket.write("a");
      await client.until(() => client.text === "a");
    }
    assert.equal(proxy.connectionCount, 2);
    proxy.reset();
    for (const client of clients) {
      await client.until(() => client.ending !== "");
      assert.equal(client.ending, "ECONNRESET");
    }
    await pass(5);
    assert.equal(proxy.connectionCount, 0);
  });

  test("refuses while its target refuses, and serves again when it is back", async () => {
    const { proxy, kill, port } = await setUp();
    const first = new Client(proxy.port);
    first.socket.write("a");
    await first.until(() => first.text === "a");
    await kill();
    await first.until(() => first.ending !== "");
    let ending = "";
    for (let i = 0; i < 100 && ending !== "ECONNREFUSED"; i++) {
      const client = new Client(proxy.port);
      await client.until(() => client.ending !== "");
      ending = client.ending;
    }
    assert.equal(ending, "ECONNREFUSED");
    const echo = await startEcho(port);
    cleanups.push(echo.kill);
    let text = "";
    for (let i = 0; i < 200 && text === ""; i++) {
      const client = new Client(proxy.port);
      client.socket.write("b");
      await client.until(() => client.ending !== "" || client.text !== "");
      ({ text } = client);
      await pass(5);
    }
    assert.equal(text, "b");
  });
});
