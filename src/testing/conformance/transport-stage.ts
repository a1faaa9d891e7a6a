/** What the cases of the transport suite stand on: one subject, and all that a case opened on it. */
import assert from "node:assert/strict";
import type {
  Connection,
  DialOptions,
  Listener,
  ListenOptions,
} from "../../transport/transport.ts";
import { Recorder } from "./recorder.ts";
import type { TransportSubject } from "./transport-subject.ts";

export type FrameLimits = Pick<ListenOptions, "maxFrameBytes" | "maxFirstFrameBytes">;

/** A case that is given its stage. */
export interface StagedCase {
  readonly name: string;
  readonly run: (stage: TransportStage) => Promise<void>;
}

/** Two ends of one connection. */
export interface Pair {
  readonly listener: Listener;
  readonly dialled: Recorder;
  readonly accepted: Recorder;
}

/** A listener and who came so far. */
export interface Listening {
  readonly listener: Listener;
  readonly accepted: readonly Recorder[];
  /** Resolves when so many have come. */
  readonly came: (count: number) => Promise<void>;
}

export class TransportStage {
  readonly subject: TransportSubject;
  readonly #listeners: Listener[] = [];
  readonly #connections: Connection[] = [];

  constructor(subject: TransportSubject) {
    this.subject = keepConnections(subject, this.#connections);
  }

  wait<T>(promise: Promise<T>): Promise<T> {
    return this.subject.wait(promise);
  }

  dial(address: string, options?: DialOptions): Recorder {
    const recorder = new Recorder();
    recorder.connection = this.subject.dialler.dial(address, recorder, options);
    return recorder;
  }

  /** Listens and collects who comes. */
  async listen(limits: FrameLimits = {}): Promise<Listening> {
    const accepted: Recorder[] = [];
    let wake = (): void => undefined;
    const listener = await this.wait(
      this.subject.listener.listen({ port: 0, ...limits }, (connection) => {
        assert.equal(connection.state, "open");
        const recorder = new Recorder();
        recorder.connection = connection;
        accepted.push(recorder);
        wake();
        return recorder;
      }),
    );
    this.#listeners.push(listener);
    const came = async (count: number): Promise<void> => {
      while (accepted.length < count) {
        await this.wait(
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
        );
      }
    };
    return { listener, accepted, came };
  }

  async pair(limits: FrameLimits = {}): Promise<Pair> {
    const { listener, accepted, came } = await this.listen(limits);
    const dialled = this.dial(listener.address);
    assert.equal(dialled.connection.state, "opening");
    await this.wait(dialled.opened());
    await came(1);
    assert.deepEqual(dialled.events, ["open"]);
    assert.equal(dialled.connection.state, "open");
    return { listener, dialled, accepted: accepted[0]! };
  }

  /** Whatever a case leaves open must not keep the process alive. */
  async dispose(): Promise<void> {
    for (const connection of this.#connections) connection.terminate();
    for (const listener of this.#listeners) await this.wait(listener.close());
    await this.subject.dispose();
  }
}

/** Keeps hold of every connection, on both ends. */
function keepConnections(subject: TransportSubject, connections: Connection[]): TransportSubject {
  const { dialler, listener } = subject;
  return {
    ...subject,
    dialler: {
      dial(address, handlers, options) {
        const connection = dialler.dial(address, handlers, options);
        connections.push(connection);
        return connection;
      },
      listen: (options, accept) => dialler.listen(options, accept),
    },
    listener: {
      dial: (address, handlers, options) => listener.dial(address, handlers, options),
      listen: (options, accept) =>
        listener.listen(options, (connection) => {
          connections.push(connection);
          return accept(connection);
        }),
    },
  };
}

/** Bytes that differ from those of other seeds, and from place to place. */
export function bytes(length: number, seed: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff;
  return made;
}
