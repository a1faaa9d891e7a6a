/** The network of simulated clusters keeps the rules of the real ones. */
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { transportConformance } from "../../src/testing/conformance/transport.ts";
import { SimulatedNetwork } from "../../src/testing/simulated-network.ts";
import { conform } from "../support/conform.ts";

conform(
  "transport: the network of simulated clusters",
  transportConformance(() => {
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
  }),
);
