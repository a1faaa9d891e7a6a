/** Cases of the transport suite: how frames arrive, and how senders are told to wait. */
import assert from "node:assert/strict";
import { highWaterBytes, lowWaterBytes } from "../../transport/transport.ts";
import { bytes, type StagedCase, type TransportStage } from "./transport-stage.ts";

export const deliveryCases: readonly StagedCase[] = [
  {
    name: "frames arrive whole and in order in both directions, as plain byte arrays",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      const lengths = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 70_000, 3];
      const sent = Array.from({ length: 200 }, (_, i) => bytes(lengths[i % 10] ?? 0, i));
      for (const frame of sent) {
        dialled.connection.send(frame);
        accepted.connection.send(frame);
      }
      await stage.wait(accepted.until(() => accepted.frames.length === sent.length));
      await stage.wait(dialled.until(() => dialled.frames.length === sent.length));
      assert.deepEqual(accepted.frames, sent);
      assert.deepEqual(dialled.frames, sent);
      assert.ok(
        accepted.frames.every((frame) => Object.getPrototypeOf(frame) === Uint8Array.prototype),
      );
    },
  },

  {
    name: "a frame that was received stays as it was while more arrive",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      const first = bytes(1000, 1);
      dialled.connection.send(first);
      await stage.wait(accepted.until(() => accepted.frames.length === 1));
      for (let i = 2; i < 200; i++) dialled.connection.send(bytes(1000, i));
      await stage.wait(accepted.until(() => accepted.frames.length === 199));
      assert.deepEqual(accepted.frames[0], first);
    },
  },

  {
    name: "a frame of exactly the limit arrives",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      const big = bytes(16 * 1024 * 1024, 9);
      dialled.connection.send(big);
      await stage.wait(accepted.until(() => accepted.frames.length === 1));
      assert.deepEqual(accepted.frames[0], big);
    },
  },

  {
    name: "a frame above the limit closes both ends with 1009 and is not delivered",
    async run(stage) {
      const { dialled, accepted } = await stage.pair({ maxFrameBytes: 1000 });
      dialled.connection.send(bytes(1000, 1));
      dialled.connection.send(bytes(1001, 2));
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      assert.equal(accepted.frames.length, 1);
      assert.equal(accepted.ended?.code, 1009);
      assert.equal(accepted.ended.reason.type, "closed");
      assert.equal(dialled.ended?.code, 1009);
      assert.equal(dialled.ended.reason.type, "closed");
    },
  },

  {
    name: "the first frame may have a limit of its own, which the others do not have",
    async run(stage) {
      const { dialled, accepted } = await stage.pair({ maxFirstFrameBytes: 1000 });
      for (const length of [1000, 1001, 300_000]) dialled.connection.send(bytes(length, length));
      await stage.wait(accepted.until(() => accepted.frames.length === 3));
      assert.deepEqual(
        accepted.frames.map((frame) => frame.length),
        [1000, 1001, 300_000],
      );
    },
  },

  ...[1001, 300_000].map((length) => ({
    name: `a first frame of ${String(length)} bytes above its limit closes both ends with 1009`,
    async run(stage: TransportStage) {
      const { dialled, accepted } = await stage.pair({ maxFirstFrameBytes: 1000 });
      dialled.connection.send(bytes(length, 1));
      dialled.connection.send(bytes(10, 2));
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      assert.deepEqual(accepted.frames, []);
      for (const { ended, endCount } of [accepted, dialled]) {
        assert.deepEqual([ended?.code, ended?.reason.type, endCount], [1009, "closed", 1]);
      }
    },
  })),

  {
    name: "many connections at once keep their frames apart",
    async run(stage) {
      const { listener, accepted, came } = await stage.listen();
      const dialled = Array.from({ length: 100 }, () => stage.dial(listener.address));
      for (const each of dialled) await stage.wait(each.opened());
      await came(100);
      dialled.forEach((each, i) => {
        for (let k = 0; k < 5; k++) each.connection.send(Uint8Array.of(i, k));
      });
      for (const each of accepted) await stage.wait(each.until(() => each.frames.length === 5));
      const owners = accepted.map((each) => {
        assert.deepEqual(
          each.frames.map((frame) => frame[1]),
          [0, 1, 2, 3, 4],
        );
        assert.equal(new Set(each.frames.map((frame) => frame[0])).size, 1);
        return each.frames[0]?.[0] ?? -1;
      });
      assert.equal(new Set(owners).size, 100);
    },
  },
  {
    name: "bytes that wait are counted, and `drain` comes once they are few again",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      const { connection } = dialled;
      assert.equal(connection.bufferedBytes, 0);
      let sentCount = 0;
      while (connection.bufferedBytes <= highWaterBytes && sentCount < 512) {
        connection.send(bytes(128 * 1024, sentCount++));
      }
      assert.ok(connection.bufferedBytes > highWaterBytes, `${String(sentCount)} frames sent`);
      await stage.wait(dialled.until(() => dialled.events.includes("drain")));
      assert.ok(connection.bufferedBytes < lowWaterBytes);
      await stage.wait(accepted.until(() => accepted.frames.length === sentCount));
      assert.equal(dialled.events.filter((event) => event === "drain").length, 1);
      assert.equal(connection.state, "open");
    },
  },
];
