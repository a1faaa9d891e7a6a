import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browserPlatform } from "../../src/platform/browser/browser-platform.ts";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { clockConformance } from "../../src/testing/conformance/clock.ts";
import { conform } from "../support/conform.ts";

const node = nodePlatform({ logLevel: "silent" });
after(() => {
  node.close();
});

conform(
  "clock and timers: node",
  clockConformance(() => ({ platform: node, wait: (promise) => promise })),
);

const browser = browserPlatform();
conform(
  "clock and timers: browser, run in Node",
  clockConformance(() => ({ platform: browser, wait: (promise) => promise })),
);

conform(
  "clock and timers: virtual node",
  clockConformance(() => {
    const time = new VirtualTime({ seed: 7 });
    return { platform: time.node("a"), wait: (promise) => time.settled(promise) };
  }),
);

conform(
  "clock and timers: slow virtual node",
  clockConformance(() => {
    const time = new VirtualTime({ seed: 7 });
    const platform = time.node("a");
    platform.slow(2);
    return { platform, wait: (promise) => time.settled(promise) };
  }),
);

test("the clock of a node never goes back, however often it is read", () => {
  let last = node.clock.now();
  for (let reading = 0; reading < 10_000; reading++) {
    const now = node.clock.now();
    assert.ok(now >= last);
    last = now;
  }
});
