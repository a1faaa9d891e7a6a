/** Cases of the transport suite: dials that fail, and connections that end. */
import assert from "node:assert/strict";
import { LatticeError } from "../../model/error.ts";
import { bytes, type StagedCase } from "./transport-stage.ts";

export const endingCases: readonly StagedCase[] = [
  {
    name: "a dial that is refused says so, without having been open",
    async run(stage) {
      const dialled = stage.dial(await stage.subject.refusingAddress());
      await stage.wait(dialled.closed());
      assert.deepEqual(dialled.events, [`close 1006 ${stage.subject.refusedType}`]);
      assert.equal(dialled.connection.state, "closed");
      assert.notEqual(dialled.ended?.reason.message, "");
    },
  },

  {
    name: "a dial without an answer ends as unreachable when its time is up",
    async run(stage) {
      const dialled = stage.dial(await stage.subject.silentAddress(), { timeoutMs: 100 });
      await stage.wait(dialled.closed());
      assert.deepEqual(dialled.events, ["close 1006 unreachable"]);
      assert.match(dialled.ended?.reason.message ?? "", /no answer in 100 ms/);
    },
  },

  {
    name: "a malformed address is a failed dial, told later, not an exception",
    async run(stage) {
      const dialled = stage.dial("not an address");
      assert.deepEqual(dialled.events, []);
      await stage.wait(dialled.closed());
      assert.deepEqual(dialled.events, ["close 1006 unreachable"]);
    },
  },

  {
    name: "closing or terminating a dial ends it once, and nothing was open",
    async run(stage) {
      const address = await stage.subject.silentAddress();
      const closed = stage.dial(address, { timeoutMs: 60_000 });
      closed.connection.close(1000, "changed my mind");
      assert.deepEqual(closed.events, [], "handlers are not called within a call");
      await stage.wait(closed.closed());
      assert.deepEqual(closed.events, ["close 1000 closed"]);
      const terminated = stage.dial(address, { timeoutMs: 60_000 });
      terminated.connection.send(Uint8Array.of(1));
      terminated.connection.terminate();
      await stage.wait(terminated.closed());
      assert.deepEqual(terminated.events, ["close 1006 lost"]);
    },
  },
  {
    name: "a close tells code and reason to both ends, after all frames, once",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      for (let i = 0; i < 50; i++) dialled.connection.send(bytes(10_000, i));
      dialled.connection.close(4321, "grüß dich");
      dialled.connection.close(4000, "again");
      dialled.connection.send(bytes(10, 1));
      assert.equal(dialled.connection.state, "closing");
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      for (const end of [dialled, accepted]) {
        assert.equal(end.ended?.code, 4321);
        assert.deepEqual(end.ended.reason, { type: "closed", message: "grüß dich" });
        assert.equal(end.endCount, 1);
        assert.equal(end.connection.state, "closed");
      }
      assert.equal(accepted.frames.length, 50);
      assert.equal(accepted.events.at(-1), "close 4321 closed");
    },
  },

  {
    name: "both ends may close at once",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      dialled.connection.close(4001, "");
      accepted.connection.close(4002, "");
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      assert.equal(dialled.ended?.reason.type, "closed");
      assert.equal(accepted.ended?.reason.type, "closed");
      assert.deepEqual([dialled.endCount, accepted.endCount], [1, 1]);
    },
  },

  {
    name: "nothing is delivered to an end that is closing",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      accepted.connection.close(1000, "");
      for (let i = 0; i < 20; i++) dialled.connection.send(bytes(10, i));
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      assert.equal(accepted.frames.length, 0);
    },
  },

  {
    name: "a close code that is not ours to send, or a reason too long, does no harm",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      for (const code of [0, 999, 1005, 1006, 1015, 3000, 5000, 4000.5, Number.NaN]) {
        assert.throws(() => {
          dialled.connection.close(code, "");
        }, LatticeError);
      }
      dialled.connection.close(4000, `${"a".repeat(122)}é and more`);
      await stage.wait(accepted.closed());
      assert.equal(accepted.ended?.reason.message, "a".repeat(122));
      await stage.wait(dialled.closed());
    },
  },

  {
    name: "a terminated connection is lost at both ends, once",
    async run(stage) {
      const { dialled, accepted } = await stage.pair();
      accepted.connection.terminate();
      accepted.connection.terminate();
      accepted.connection.close(1000, "");
      assert.deepEqual(accepted.events, [], "handlers are not called within a call");
      await stage.wait(accepted.closed());
      await stage.wait(dialled.closed());
      for (const end of [dialled, accepted]) {
        assert.equal(end.ended?.code, 1006);
        assert.equal(end.ended.reason.type, "lost");
        assert.equal(end.endCount, 1);
        assert.equal(end.connection.state, "closed");
        end.connection.send(bytes(10, 1));
        end.connection.close(1000, "");
        end.connection.terminate();
      }
      // Anything that the calls on closed connections caused would come before a new connection.
      await stage.pair();
      assert.deepEqual([dialled.endCount, accepted.endCount], [1, 1]);
    },
  },
];
