import assert from "node:assert/strict";
import { after, test } from "node:test";
import { browserPlatform } from "../../src/platform/browser/browser-platform.ts";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { clockConformance } from "../conformance/clock.ts";

const node = nodePlatform({ logLevel: "silent" });
after(() => {
  node.close();
});

clockConformance("node", () => ({ platform: node, wait: (promise) => promise }));

const browser = browserPlatform();
clockConformance("browser, run in Node", () => ({ platform: browser, wait: (promise) => promise }));

clockConformance("virtual node", () => {
  const time = new VirtualTime({ seed: 7 });
  return { platform: time.node("a"), wait: (promise) => time.settled(promise) };
});

clockConformance("slow virtual node", () => {
  const time = new VirtualTime({ seed: 7 });
  const platform = time.node("a");
  platform.slow(2);
  return { platform, wait: (promise) => time.settled(promise) };
});

test("the clock of a node never goes back, however often it is read", () => {
  let last = node.clock.now();
  for (let reading = 0; reading < 10_000; reading++) {
    const now = node.clock.now();
    assert.ok(now >= last);
    last = now;
  }
});
