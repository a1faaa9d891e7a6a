import assert from "node:assert/strict";
import { test } from "node:test";
import { Dialler } from "../../src/node/links/dialler.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { CloseReason, Connection, Transport } from "../../src/transport/transport.ts";

const address = "ws://b:7400";
const node = {
  id: "a",
  boot: 1,
  address: "ws://a:7400",
  zone: "",
  weight: 1,
  settings: { partitionCount: 64, replicas: 3, placementVersion: 1 },
};

/** A dialler whose dials end as `ends` say, one after another, the last one for ever. */
function makeDialler(ends: readonly CloseReason["type"][]) {
  const time = new VirtualTime({ seed: 1 });
  const outcomes: { readonly type: string; readonly at: number }[] = [];
  const transport: Transport = {
    dial(_address, handlers): Connection {
      const end = ends[Math.min(outcomes.length, ends.length - 1)]!;
      time.timers.after(0, () => {
        handlers.close(1006, { type: end, message: end });
      });
      const nothing = (): void => undefined;
      return {
        state: "opening",
        remoteAddress: address,
        bufferedBytes: 0,
        send: nothing,
        close: nothing,
        terminate: nothing,
      };
    },
    listen: () => Promise.reject(new Error("nobody listens here")),
  };
  const dialler = new Dialler({
    platform: time.node("a"),
    transport,
    local: () => ({ cluster: "", node }),
    done: (_attempt, { type }) => {
      outcomes.push({ type, at: time.now });
      dialler.dialLater(address, type === "hung-up");
    },
  });
  return { time, dialler, outcomes };
}

test("where somebody hangs up the next dial comes at once, and tells whether it has ended", async () => {
  for (let run = 0; run < 20; run++) {
    const { time, dialler, outcomes } = makeDialler(["lost", "refused"]);
    dialler.dial(address, "control");
    await time.sleep(15);
    assert.deepEqual(
      outcomes.slice(0, 2).map(({ type }) => type),
      ["hung-up", "nobody"],
    );
    dialler.close();
  }
});

test("where somebody hangs up again and again the back-off grows as everywhere", async () => {
  const { time, dialler, outcomes } = makeDialler(["lost"]);
  dialler.dial(address, "control");
  await time.sleep(60_000);
  assert.ok(outcomes.length >= 10 && outcomes.length <= 40, `${String(outcomes.length)} dials`);
  assert.ok(outcomes[1]!.at - outcomes[0]!.at <= 11);
  dialler.close();
});
