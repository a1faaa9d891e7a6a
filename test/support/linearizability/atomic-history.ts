/**
 * Histories of a real atomic object: processes call it one operation after another, each takes effect
 * at one moment on its way, and some answers never come. By their making they are linearizable.
 */
import { randomBelow } from "../../../src/model/random.ts";
import type { Random } from "../../../src/model/random.ts";
import type { Input, Operation } from "./operation.ts";
import type { SequentialObject } from "./sequential-object.ts";

export interface AtomicHistoryOptions {
  readonly random: Random;
  readonly object: SequentialObject;
  readonly processes: number;
  readonly operations: number;
  /** Of answers that never come: half of what they answer happens, sooner or later. */
  readonly unknownShare: number;
  /** @param n the number of the operation */
  readonly inputOf: (n: number) => Input;
}

/** A call, its way there and its way back last so long at most. */
const delayMsMax = 10;
/** What nobody waits for may take effect so much later. */
const lateMsMax = 200;

interface Flight extends Omit<Operation, "output"> {
  readonly effectAt: number;
}

export function atomicHistory(options: AtomicHistoryOptions): Operation[] {
  const { random, object, processes, operations, unknownShare, inputOf } = options;
  const freeAt = Array.from({ length: processes }, () => random() * delayMsMax);
  const flights: Flight[] = [];
  for (let n = 0; n < operations; n++) {
    const process = randomBelow(random, processes);
    const invokedAt = freeAt[process]! + random() * delayMsMax;
    const isUnknown = random() < unknownShare;
    const arrivesAt = invokedAt + random() * delayMsMax;
    const lateAt = random() < 0.5 ? Infinity : invokedAt + random() * lateMsMax;
    const effectAt = isUnknown ? lateAt : arrivesAt;
    const returnedAt = isUnknown ? undefined : effectAt + random() * delayMsMax;
    freeAt[process] = returnedAt ?? arrivesAt;
    const name = { id: `c${n}`, process: `p${process}`, key: "key" };
    flights.push({ ...name, invokedAt, returnedAt, effectAt, input: inputOf(n) });
  }
  flights.sort((a, b) => a.effectAt - b.effectAt);
  return flights
    .map(({ effectAt, ...flight }) => {
      const answer = effectAt === Infinity ? undefined : object.run(flight.input);
      return { ...flight, output: flight.returnedAt === undefined ? undefined : answer };
    })
    .sort((a, b) => a.invokedAt - b.invokedAt);
}
