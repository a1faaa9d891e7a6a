/** What strangers can make a node hold before they have said who they are: over real sockets. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { WebSocketTransport } from "../../src/transport/node/websocket-transport.ts";
import { Recorder } from "../../src/testing/conformance/recorder.ts";

const platform = nodePlatform({ logLevel: "silent" });
const transport = new WebSocketTransport(platform.timers);
const firstFrameBytes = 8 * 1024;
const accepted: Recorder[] = [];
/** Set by a test: what the node does with a first frame. */
let onFrame: (recorder: Recorder) => void = () => undefined;

const listener = await transport.listen(
  { port: 0, maxFirstFrameBytes: firstFrameBytes },
  (connection) => {
    const recorder = new Recorder();
    recorder.connection = connection;
    accepted.push(recorder);
    return {
      frame: (frame) => {
        recorder.frame(frame);
        onFrame(recorder);
      },
      close: (code, reason) => {
        recorder.close(code, reason);
      },
    };
  },
);
after(async () => {
  await listener.close();
  platform.close();
});

const upgrade =
  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const binary = 0x82;
const ping = 0x89;

/** The beginning of a masked frame (RFC 6455, 5.2) that says it has `length` bytes. */
function header(opcode: number, length: number): Uint8Array {
  const mask = [0, 0, 0, 0];
  if (length < 126) return Uint8Array.from([opcode, 0x80 | length, ...mask]);
  const bytes = new Uint8Array(14);
  bytes.set([opcode, 0x80 | 127]);
  new DataView(bytes.buffer).setBigUint64(2, BigInt(length));
  return bytes;
}

interface Stranger {
  readonly socket: Socket;
  /** What the server sent after its answer to the upgrade, once it has hung up. */
  readonly heard: Promise<Uint8Array>;
}

/** Upgrades by hand; whatever happens to the socket, it is told by `heard` alone. */
async function stranger(): Promise<Stranger> {
  const socket = connect(Number(new URL(listener.address).port), "127.0.0.1");
  const parts: Uint8Array[] = [];
  socket.on("error", () => socket.destroy());
  const heard = new Promise<Uint8Array>((resolve) => {
    socket.once("close", () => {
      resolve(Buffer.concat(parts));
    });
  });
  const upgraded = new Promise((resolve) => socket.once("data", resolve));
  socket.write(upgrade);
  await upgraded;
  socket.on("data", (data) => parts.push(data));
  return { socket, heard };
}

/** The code of the close frame that the server sent, if that was all it sent. */
function closeCode(heard: Uint8Array): number {
  return heard[0] === 0x88 ? new DataView(heard.buffer, heard.byteOffset).getUint16(2) : 0;
}

test("a hundred strangers who begin a frame of 16 MiB are sent away with the first chunk", async () => {
  const strangers = await Promise.all(Array.from({ length: 100 }, stranger));
  for (const { socket } of strangers) {
    socket.write(header(binary, 16 * 1024 * 1024));
    socket.write(new Uint8Array(512 * 1024));
  }
  const heard = await Promise.all(strangers.map((each) => each.heard));
  // A reset may overtake the close frame where the stranger is still sending; mostly it does not.
  assert.ok(heard.some((bytes) => closeCode(bytes) === 1009));
  await Promise.all(accepted.map((each) => each.closed()));
  for (const { ended, frames } of accepted) {
    assert.deepEqual([ended?.code, ended?.reason.type, frames.length], [1009, "closed", 0]);
  }
  assert.equal(transport.connectionCount, 0);
});

const drips: readonly (readonly [string, Uint8Array])[] = [
  ["pieces of one long frame", new Uint8Array(1000)],
  ["pings", header(ping, 0)],
  ["fragments that never end", Uint8Array.from([...header(0x00, 100), ...new Uint8Array(100)])],
];
for (const [what, piece] of drips) {
  test(`a first frame that comes as ${what} is counted as a whole`, async () => {
    accepted.length = 0;
    const { socket, heard } = await stranger();
    if (what.startsWith("pieces")) socket.write(header(binary, 1024 * 1024));
    if (what.startsWith("fragments")) socket.write(header(0x02, 0));
    let sent = 0;
    for (; sent < 4 * firstFrameBytes && !socket.destroyed; sent += piece.length) {
      await new Promise((resolve) => socket.write(piece, resolve));
    }
    await heard;
    await accepted[0]!.closed();
    assert.equal(accepted[0]!.ended?.code, 1009);
    assert.deepEqual(accepted[0]!.frames, []);
  });
}

test("who is refused by the first frame may not go on sending while it is closed", async () => {
  accepted.length = 0;
  onFrame = ({ connection }) => {
    connection.close(4400, "not like this");
  };
  const { socket, heard } = await stranger();
  socket.write(Uint8Array.from([...header(binary, 3), 1, 2, 3]));
  socket.write(header(binary, 16 * 1024 * 1024));
  // Longer than a close hand shake would wait, if nobody counted.
  const startedAt = platform.clock.now();
  const more = setInterval(() => socket.write(new Uint8Array(4096)), 5);
  await heard;
  clearInterval(more);
  await accepted[0]!.closed();
  assert.equal(accepted[0]!.frames.length, 1);
  assert.ok(platform.clock.now() - startedAt < 2_000, "ended by the count, not by a timer");
  onFrame = () => undefined;
});

test("what follows a first frame in the same chunk has the limit of all frames", async () => {
  accepted.length = 0;
  const { socket, heard } = await stranger();
  const second = new Uint8Array(200_000);
  socket.write(
    Buffer.concat([header(binary, 3), Uint8Array.of(1, 2, 3), header(binary, 200_000), second]),
  );
  const [recorder] = accepted;
  await recorder!.until(() => recorder!.frames.length === 2);
  assert.deepEqual(
    recorder!.frames.map((frame) => frame.length),
    [3, 200_000],
  );
  socket.destroy();
  await heard;
  await recorder!.closed();
});
