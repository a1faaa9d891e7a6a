/** Cases of the transport suite: where one may listen, and what stays when one stops. */
import assert from "node:assert/strict";
import { LatticeError } from "../../model/error.ts";
import type { ConnectionHandlers } from "../../transport/transport.ts";
import { Recorder } from "./recorder.ts";
import type { StagedCase } from "./transport-stage.ts";

const nobody = (): ConnectionHandlers => new Recorder();
const refusal =
  (code: string, text: RegExp) =>
  (error: unknown): boolean =>
    error instanceof LatticeError && error.code === code && text.test(error.message);

export const listeningCases: readonly StagedCase[] = [
  {
    name: "a port that is in use is refused with what to do",
    async run(stage) {
      const { listener } = await stage.listen();
      const port = Number(new URL(listener.address).port);
      await assert.rejects(
        stage.wait(stage.subject.listener.listen({ port }, nobody)),
        refusal("failed_precondition", new RegExp(`port ${String(port)} .*in use.*--port`)),
      );
    },
  },

  {
    name: "an address that other machines can reach is refused with the reason",
    async run(stage) {
      const hosts = [
        "0.0.0.0",
        "::",
        "192.168.1.1",
        "127.0.0.1.example.com",
        "127.1",
        "::ffff:127.0.0.1",
        "localhost.example.com",
        "",
      ];
      for (const host of hosts) {
        await assert.rejects(
          stage.wait(stage.subject.listener.listen({ host, port: 0 }, nobody)),
          refusal("permission_denied", /neither encrypted nor authenticated.*127\.0\.0\.1/),
          host,
        );
      }
    },
  },

  {
    name: "a port that is none is refused",
    async run(stage) {
      for (const port of [-1, 1.5, 65_536, Number.NaN]) {
        await assert.rejects(
          stage.wait(stage.subject.listener.listen({ port }, nobody)),
          refusal("invalid_argument", /port/),
        );
      }
    },
  },

  {
    name: "a closed listener refuses, keeps open connections, and frees its port",
    async run(stage) {
      const { listener, dialled, accepted } = await stage.pair();
      await stage.wait(listener.close());
      await stage.wait(listener.close());
      const late = stage.dial(listener.address);
      await stage.wait(late.closed());
      assert.equal(late.ended?.reason.type, stage.subject.refusedType);
      dialled.connection.send(Uint8Array.of(7));
      await stage.wait(accepted.until(() => accepted.frames.length === 1));
      const port = Number(new URL(listener.address).port);
      const again = await stage.wait(stage.subject.listener.listen({ port }, nobody));
      assert.equal(again.address, listener.address);
      await stage.wait(again.close());
    },
  },
];
