import type { CloseReason, Transport } from "../../transport/transport.ts";

/** A transport under test, and what the suite cannot know of it. */
export interface TransportSubject {
  readonly dialler: Transport;
  readonly listener: Transport;
  /** Lets time pass until `promise` settles. */
  wait<T>(promise: Promise<T>): Promise<T>;
  /** An address where somebody answers that nobody listens. */
  refusingAddress(): Promise<string>;
  /** An address where nobody answers at all. */
  silentAddress(): Promise<string>;
  /** What a refused dial is called: browsers cannot tell. */
  readonly refusedType: CloseReason["type"];
  dispose(): Promise<void>;
}
