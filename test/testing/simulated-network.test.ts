/** The network of simulated clusters keeps the rules of the real ones. */
import { test } from "node:test";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { transportConformance } from "../../src/testing/conformance/transport.ts";
import { SimulatedNetwork } from "../../src/testing/simulated-network.ts";

const cases = transportConformance(() => {
  const time = new VirtualTime({ seed: 1 });
  const network = new SimulatedNetwork(time);
  network.paths.cut("a", "gone");
  return {
    dialler: network.transportFor("a", time.node("a").input),
    listener: network.transportFor("b", time.node("b").input),
    wait: (promise) => time.settled(promise),
    refusingAddress: () => Promise.resolve("ws://b:1"),
    silentAddress: () => Promise.resolve("ws://gone:1"),
    refusedType: "refused",
    dispose: () => Promise.resolve(),
  };
});

// Not by way of `conform`: what a test file only imports does not count as its own.
for (const { name, run } of cases) test(`transport: simulated clusters: ${name}`, run);
