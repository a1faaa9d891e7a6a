/**
 * `ctx.compute` of simulated nodes: the module is loaded and its function called in this process, one
 * after the other, while virtual time stands still. So a run takes no time and repeats exactly; what
 * never ends is never cut off.
 */
import type { Compute, ComputeRun } from "../functions/ports.ts";
import { resultOf, runModule } from "../node/compute/run-module.ts";
import type { VirtualTime } from "../platform/virtual/virtual-time.ts";

export class InProcessCompute implements Compute {
  readonly #time: VirtualTime;
  #last: Promise<unknown> = Promise.resolve();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** One instance serves all nodes: which module is loaded first must not be left to the machine. */
  run({ module, input, signal }: ComputeRun): Promise<Uint8Array> {
    const end = this.#last.then(() => runModule({ module, input }));
    this.#last = end;
    return this.#time.standStill(
      end.then((ended) => {
        signal.throwIfAborted();
        return resultOf(ended);
      }),
    );
  }
}
