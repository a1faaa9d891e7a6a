/** Makes calls and records each with its end, so that nothing that was answered goes unrecorded. */
import { LatticeError, type Reply } from "latticework";
import type { CallRecord, RecordFile } from "./record-file.ts";

export type CallToMake = Pick<
  CallRecord,
  "call" | "functionName" | "key" | "operation" | "input" | "from"
>;

export class Recorder {
  readonly #file: RecordFile;
  readonly #startedAt = performance.now();
  #inFlight = 0;

  constructor(file: RecordFile) {
    this.#file = file;
  }

  /** Calls sent and not ended. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Milliseconds since the start of the run, as in the records. */
  now(): number {
    return performance.now() - this.#startedAt;
  }

  /** Resolves with the record, also when the call failed. Rejects for what is no `LatticeError`. */
  async make(call: CallToMake, run: () => Promise<Reply<unknown>>): Promise<CallRecord> {
    const sentAt = this.now();
    this.#inFlight += 1;
    const answer = await answerOf(run());
    this.#inFlight -= 1;
    const record = { ...call, sentAt, answeredAt: this.now(), answer };
    this.#file.add(record);
    return record;
  }
}

/** As it is recorded. Rejects for what is no `LatticeError`. */
export function answerOf(reply: Promise<Reply<unknown>>): Promise<CallRecord["answer"]> {
  return reply.then(okOf, failureOf);
}

function okOf({ degraded, copies, hops, node }: Reply<unknown>): CallRecord["answer"] {
  return { type: "ok", degraded, copies, hops, node };
}

function failureOf(error: unknown): CallRecord["answer"] {
  if (!(error instanceof LatticeError)) throw error;
  const { code, indeterminate } = error;
  return { type: "failed", code, indeterminate };
}
