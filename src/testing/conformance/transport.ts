/**
 * What every transport must do: WebSockets of Node and of browsers, memory, and the simulator's
 * network. A subject says how its time passes and where the addresses of its faults are.
 */
import type { ConformanceCase } from "./conformance-case.ts";
import { deliveryCases } from "./transport-delivery.ts";
import { endingCases } from "./transport-endings.ts";
import { listeningCases } from "./transport-listening.ts";
import { TransportStage } from "./transport-stage.ts";
import type { TransportSubject } from "./transport-subject.ts";

/** The suite of transports; every case makes a subject of its own and disposes of it. */
export function transportConformance(make: () => TransportSubject): readonly ConformanceCase[] {
  return [...deliveryCases, ...endingCases, ...listeningCases].map(({ name, run }) => ({
    name,
    async run() {
      const stage = new TransportStage(make());
      try {
        await run(stage);
      } finally {
        await stage.dispose();
      }
    },
  }));
}
