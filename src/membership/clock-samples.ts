/**
 * How far the clocks of the others are from the monotonic clock of this process, as probes measured
 * it, and what lies in their middle. A reading was taken somewhere between question and answer, so
 * half the round trip is both what is subtracted and how far off it may be (Cristian 1989).
 */
import type { NodeId } from "../model/ids.ts";

/** A sample says less the older it is: both clocks are slewed, and neither runs quite true. */
const agingMsPerMs = 0.002;

interface Sample {
  /** Their clock minus our monotonic one. */
  readonly offsetMs: number;
  readonly errorMs: number;
  readonly at: number;
}

/** One question and its answer. */
export interface ClockReading {
  /** Milliseconds since the epoch, by the clock of the other node. */
  readonly readMs: number;
  /** It is the time of a cluster, and not just what a wall clock said when a node started. */
  readonly isSettled: boolean;
  /** Of our monotonic clock. */
  readonly askedAt: number;
  readonly answeredAt: number;
}

export class ClockSamples {
  /** One for each other member; `keep` drops the rest. */
  readonly #samples = new Map<NodeId, Sample>();

  get count(): number {
    return this.#samples.size;
  }

  /** @returns their clock minus our monotonic one, as this reading has it */
  add(node: NodeId, { readMs, askedAt, answeredAt }: ClockReading): number {
    const roundTripMs = answeredAt - askedAt;
    const sample: Sample = {
      offsetMs: readMs - (askedAt + answeredAt) / 2,
      errorMs: roundTripMs / 2,
      at: answeredAt,
    };
    const known = this.#samples.get(node);
    if (known === undefined || isBetter(sample, known)) this.#samples.set(node, sample);
    return sample.offsetMs;
  }

  /** Forgets all others. */
  keep(isWanted: (node: NodeId) => boolean): void {
    for (const node of this.#samples.keys()) if (!isWanted(node)) this.#samples.delete(node);
  }

  clear(): void {
    this.#samples.clear();
  }

  /** Of the samples and this one; the mean of the two in the middle where there are two. */
  medianWith(ownMs: number): number {
    const offsets = [ownMs];
    for (const { offsetMs } of this.#samples.values()) offsets.push(offsetMs);
    offsets.sort((a, b) => a - b);
    const middle = (offsets.length - 1) / 2;
    return (offsets[Math.floor(middle)]! + offsets[Math.ceil(middle)]!) / 2;
  }
}

/** The closer one stays; but two that contradict each other say that a clock was set: then the new. */
function isBetter(sample: Sample, known: Sample): boolean {
  const knownErrorMs = known.errorMs + (sample.at - known.at) * agingMsPerMs;
  const apartMs = Math.abs(sample.offsetMs - known.offsetMs);
  return sample.errorMs <= knownErrorMs || apartMs > sample.errorMs + knownErrorMs;
}
