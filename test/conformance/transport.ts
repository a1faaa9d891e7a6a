/**
 * What every transport must do: WebSockets of Node and of browsers, memory, and the simulator's
 * network. A subject says how its time passes and where the addresses of its faults are.
 */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { LatticeError } from "../../src/model/error.ts";
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
} from "../../src/transport/transport.ts";
import { highWaterBytes, lowWaterBytes } from "../../src/transport/transport.ts";

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

/** A connection whose events are kept in order and can be waited for. */
export class Recorder implements ConnectionHandlers {
  readonly frames: Uint8Array[] = [];
  readonly events: string[] = [];
  ended: { readonly code: number; readonly reason: CloseReason } | undefined;
  endCount = 0;
  #connection: Connection | undefined;
  #wanted: (() => void)[] = [];

  get connection(): Connection {
    if (this.#connection === undefined) throw new Error("no connection yet");
    return this.#connection;
  }

  set connection(connection: Connection) {
    this.#connection = connection;
  }

  /** How it ended, or "" while it has not. */
  get endType(): CloseReason["type"] | "" {
    return this.ended?.reason.type ?? "";
  }

  get endMessage(): string {
    return this.ended?.reason.message ?? "";
  }

  open(): void {
    this.#record("open");
  }

  frame(frame: Uint8Array): void {
    this.frames.push(frame);
    this.#record("frame");
  }

  drain(): void {
    this.#record("drain");
  }

  close(code: number, reason: CloseReason): void {
    this.ended = { code, reason };
    this.endCount += 1;
    this.#record(`close ${String(code)} ${reason.type}`);
  }

  /** Resolves when `condition` holds after an event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#wanted = this.#wanted.filter((each) => each !== check);
        resolve();
      };
      this.#wanted.push(check);
      check();
    });
  }

  opened(): Promise<void> {
    return this.until(() => this.events.includes("open") || this.ended !== undefined);
  }

  closed(): Promise<void> {
    return this.until(() => this.ended !== undefined);
  }

  #record(event: string): void {
    this.events.push(event);
    for (const check of [...this.#wanted]) check();
  }
}

interface Pair {
  readonly listener: Listener;
  readonly dialled: Recorder;
  readonly accepted: Recorder;
}

export function transportConformance(name: string, make: () => TransportSubject): void {
  describe(`transport: ${name}`, () => {
    const subjects: TransportSubject[] = [];
    const listeners: Listener[] = [];
    const connections: Connection[] = [];
    after(async () => {
      for (const connection of connections) connection.terminate();
      for (const listener of listeners) await listener.close();
      for (const subject of subjects) await subject.dispose();
    });
    const tools: Tools = {
      subject() {
        const subject = keepConnections(make(), connections);
        subjects.push(subject);
        return subject;
      },
      keep: (listener) => void listeners.push(listener),
    };
    deliveryTests(tools);
    dialTests(tools);
    closeTests(tools);
    pressureTests(tools);
    listenTests(tools);
  });
}

/** Whatever a test leaves open must not keep the process alive. */
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

interface Tools {
  subject(): TransportSubject;
  keep(listener: Listener): void;
}

function dial(subject: TransportSubject, address: string, options?: DialOptions): Recorder {
  const recorder = new Recorder();
  recorder.connection = subject.dialler.dial(address, recorder, options);
  return recorder;
}

type FrameLimits = Pick<ListenOptions, "maxFrameBytes" | "maxFirstFrameBytes">;

/** Listens and collects who comes. */
async function listen(
  tools: Tools,
  subject: TransportSubject,
  limits: FrameLimits = {},
): Promise<{ listener: Listener; accepted: Recorder[]; came: (count: number) => Promise<void> }> {
  const accepted: Recorder[] = [];
  let wake = (): void => undefined;
  const options = { port: 0, ...limits };
  const listener = await subject.wait(
    subject.listener.listen(options, (connection) => {
      assert.equal(connection.state, "open");
      const recorder = new Recorder();
      recorder.connection = connection;
      accepted.push(recorder);
      wake();
      return recorder;
    }),
  );
  tools.keep(listener);
  const came = async (count: number): Promise<void> => {
    while (accepted.length < count) {
      await subject.wait(
        new Promise<void>((resolve) => {
          wake = resolve;
        }),
      );
    }
  };
  return { listener, accepted, came };
}

async function pair(
  tools: Tools,
  subject: TransportSubject,
  limits: FrameLimits = {},
): Promise<Pair> {
  const { listener, accepted, came } = await listen(tools, subject, limits);
  const dialled = dial(subject, listener.address);
  assert.equal(dialled.connection.state, "opening");
  await subject.wait(dialled.opened());
  await came(1);
  assert.deepEqual(dialled.events, ["open"]);
  assert.equal(dialled.connection.state, "open");
  return { listener, dialled, accepted: accepted[0]! };
}

function bytes(length: number, seed: number): Uint8Array {
  const made = new Uint8Array(length);
  for (let i = 0; i < length; i++) made[i] = (i * 31 + seed * 17 + (i >> 8)) & 0xff;
  return made;
}

function deliveryTests(tools: Tools): void {
  test("frames arrive whole and in order in both directions, as plain byte arrays", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    const lengths = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 70_000, 3];
    const sent = Array.from({ length: 200 }, (_, i) => bytes(lengths[i % 10] ?? 0, i));
    for (const frame of sent) {
      dialled.connection.send(frame);
      accepted.connection.send(frame);
    }
    await subject.wait(accepted.until(() => accepted.frames.length === sent.length));
    await subject.wait(dialled.until(() => dialled.frames.length === sent.length));
    assert.deepEqual(accepted.frames, sent);
    assert.deepEqual(dialled.frames, sent);
    assert.ok(
      accepted.frames.every((frame) => Object.getPrototypeOf(frame) === Uint8Array.prototype),
    );
  });

  test("a frame that was received stays as it was while more arrive", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    const first = bytes(1000, 1);
    dialled.connection.send(first);
    await subject.wait(accepted.until(() => accepted.frames.length === 1));
    for (let i = 2; i < 200; i++) dialled.connection.send(bytes(1000, i));
    await subject.wait(accepted.until(() => accepted.frames.length === 199));
    assert.deepEqual(accepted.frames[0], first);
  });

  test("a frame of exactly the limit arrives", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    const big = bytes(16 * 1024 * 1024, 9);
    dialled.connection.send(big);
    await subject.wait(accepted.until(() => accepted.frames.length === 1));
    assert.equal(Buffer.compare(accepted.frames[0] ?? new Uint8Array(), big), 0);
  });

  test("a frame above the limit closes both ends with 1009 and is not delivered", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject, { maxFrameBytes: 1000 });
    dialled.connection.send(bytes(1000, 1));
    dialled.connection.send(bytes(1001, 2));
    await subject.wait(accepted.closed());
    await subject.wait(dialled.closed());
    assert.equal(accepted.frames.length, 1);
    assert.equal(accepted.ended?.code, 1009);
    assert.equal(accepted.ended.reason.type, "closed");
    assert.equal(dialled.ended?.code, 1009);
    assert.equal(dialled.ended.reason.type, "closed");
  });

  test("the first frame may have a limit of its own, which the others do not have", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject, { maxFirstFrameBytes: 1000 });
    for (const length of [1000, 1001, 300_000]) dialled.connection.send(bytes(length, length));
    await subject.wait(accepted.until(() => accepted.frames.length === 3));
    assert.deepEqual(
      accepted.frames.map((frame) => frame.length),
      [1000, 1001, 300_000],
    );
  });

  for (const length of [1001, 300_000]) {
    test(`a first frame of ${String(length)} bytes above its limit closes both ends with 1009`, async () => {
      const subject = tools.subject();
      const { dialled, accepted } = await pair(tools, subject, { maxFirstFrameBytes: 1000 });
      dialled.connection.send(bytes(length, 1));
      dialled.connection.send(bytes(10, 2));
      await subject.wait(accepted.closed());
      await subject.wait(dialled.closed());
      assert.deepEqual(accepted.frames, []);
      for (const { ended, endCount } of [accepted, dialled]) {
        assert.deepEqual([ended?.code, ended?.reason.type, endCount], [1009, "closed", 1]);
      }
    });
  }

  test("many connections at once keep their frames apart", async () => {
    const subject = tools.subject();
    const { listener, accepted, came } = await listen(tools, subject);
    const dialled = Array.from({ length: 100 }, () => dial(subject, listener.address));
    for (const each of dialled) await subject.wait(each.opened());
    await came(100);
    dialled.forEach((each, i) => {
      for (let k = 0; k < 5; k++) each.connection.send(Uint8Array.of(i, k));
    });
    for (const each of accepted) await subject.wait(each.until(() => each.frames.length === 5));
    const owners = accepted.map((each) => {
      assert.deepEqual(
        each.frames.map((frame) => frame[1]),
        [0, 1, 2, 3, 4],
      );
      assert.equal(new Set(each.frames.map((frame) => frame[0])).size, 1);
      return each.frames[0]?.[0] ?? -1;
    });
    assert.equal(new Set(owners).size, 100);
  });
}

function dialTests(tools: Tools): void {
  test("a dial that is refused says so, without having been open", async () => {
    const subject = tools.subject();
    const dialled = dial(subject, await subject.refusingAddress());
    await subject.wait(dialled.closed());
    assert.deepEqual(dialled.events, [`close 1006 ${subject.refusedType}`]);
    assert.equal(dialled.connection.state, "closed");
    assert.notEqual(dialled.ended?.reason.message, "");
  });

  test("a dial without an answer ends as unreachable when its time is up", async () => {
    const subject = tools.subject();
    const dialled = dial(subject, await subject.silentAddress(), { timeoutMs: 100 });
    await subject.wait(dialled.closed());
    assert.deepEqual(dialled.events, ["close 1006 unreachable"]);
    assert.match(dialled.ended?.reason.message ?? "", /no answer in 100 ms/);
  });

  test("a malformed address is a failed dial, told later, not an exception", async () => {
    const subject = tools.subject();
    const dialled = dial(subject, "not an address");
    assert.deepEqual(dialled.events, []);
    await subject.wait(dialled.closed());
    assert.deepEqual(dialled.events, ["close 1006 unreachable"]);
  });

  test("closing or terminating a dial ends it once, and nothing was open", async () => {
    const subject = tools.subject();
    const address = await subject.silentAddress();
    const closed = dial(subject, address, { timeoutMs: 60_000 });
    closed.connection.close(1000, "changed my mind");
    assert.deepEqual(closed.events, [], "handlers are not called within a call");
    await subject.wait(closed.closed());
    assert.deepEqual(closed.events, ["close 1000 closed"]);
    const terminated = dial(subject, address, { timeoutMs: 60_000 });
    terminated.connection.send(Uint8Array.of(1));
    terminated.connection.terminate();
    await subject.wait(terminated.closed());
    assert.deepEqual(terminated.events, ["close 1006 lost"]);
  });
}

function closeTests(tools: Tools): void {
  test("a close tells code and reason to both ends, after all frames, once", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    for (let i = 0; i < 50; i++) dialled.connection.send(bytes(10_000, i));
    dialled.connection.close(4321, "grüß dich");
    dialled.connection.close(4000, "again");
    dialled.connection.send(bytes(10, 1));
    assert.equal(dialled.connection.state, "closing");
    await subject.wait(accepted.closed());
    await subject.wait(dialled.closed());
    for (const end of [dialled, accepted]) {
      assert.equal(end.ended?.code, 4321);
      assert.deepEqual(end.ended.reason, { type: "closed", message: "grüß dich" });
      assert.equal(end.endCount, 1);
      assert.equal(end.connection.state, "closed");
    }
    assert.equal(accepted.frames.length, 50);
    assert.equal(accepted.events.at(-1), "close 4321 closed");
  });

  test("both ends may close at once", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    dialled.connection.close(4001, "");
    accepted.connection.close(4002, "");
    await subject.wait(accepted.closed());
    await subject.wait(dialled.closed());
    assert.equal(dialled.ended?.reason.type, "closed");
    assert.equal(accepted.ended?.reason.type, "closed");
    assert.deepEqual([dialled.endCount, accepted.endCount], [1, 1]);
  });

  test("nothing is delivered to an end that is closing", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    accepted.connection.close(1000, "");
    for (let i = 0; i < 20; i++) dialled.connection.send(bytes(10, i));
    await subject.wait(accepted.closed());
    await subject.wait(dialled.closed());
    assert.equal(accepted.frames.length, 0);
  });

  test("a close code that is not ours to send, or a reason too long, does no harm", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    for (const code of [0, 999, 1005, 1006, 1015, 3000, 5000, 4000.5, Number.NaN]) {
      assert.throws(() => {
        dialled.connection.close(code, "");
      }, LatticeError);
    }
    dialled.connection.close(4000, `${"a".repeat(122)}é and more`);
    await subject.wait(accepted.closed());
    assert.equal(accepted.ended?.reason.message, "a".repeat(122));
    await subject.wait(dialled.closed());
  });

  test("a terminated connection is lost at both ends, once", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    accepted.connection.terminate();
    accepted.connection.terminate();
    accepted.connection.close(1000, "");
    assert.deepEqual(accepted.events, [], "handlers are not called within a call");
    await subject.wait(accepted.closed());
    await subject.wait(dialled.closed());
    for (const end of [dialled, accepted]) {
      assert.equal(end.ended?.code, 1006);
      assert.equal(end.ended.reason.type, "lost");
      assert.equal(end.endCount, 1);
      assert.equal(end.connection.state, "closed");
      end.connection.send(bytes(10, 1));
      end.connection.close(1000, "");
      end.connection.terminate();
    }
    // Anything that the calls on closed connections caused would come before a new connection.
    await pair(tools, subject);
    assert.deepEqual([dialled.endCount, accepted.endCount], [1, 1]);
  });
}

function pressureTests(tools: Tools): void {
  test("bytes that wait are counted, and `drain` comes once they are few again", async () => {
    const subject = tools.subject();
    const { dialled, accepted } = await pair(tools, subject);
    const { connection } = dialled;
    assert.equal(connection.bufferedBytes, 0);
    let sentCount = 0;
    while (connection.bufferedBytes <= highWaterBytes && sentCount < 512) {
      connection.send(bytes(128 * 1024, sentCount++));
    }
    assert.ok(connection.bufferedBytes > highWaterBytes, `${String(sentCount)} frames sent`);
    await subject.wait(dialled.until(() => dialled.events.includes("drain")));
    assert.ok(connection.bufferedBytes < lowWaterBytes);
    await subject.wait(accepted.until(() => accepted.frames.length === sentCount));
    assert.equal(dialled.events.filter((event) => event === "drain").length, 1);
    assert.equal(connection.state, "open");
  });
}

function listenTests(tools: Tools): void {
  const nobody = (): ConnectionHandlers => new Recorder();
  const refusal =
    (code: string, text: RegExp) =>
    (error: unknown): boolean =>
      error instanceof LatticeError && error.code === code && text.test(error.message);

  test("a port that is in use is refused with what to do", async () => {
    const subject = tools.subject();
    const { listener } = await listen(tools, subject);
    const port = Number(new URL(listener.address).port);
    await assert.rejects(
      subject.wait(subject.listener.listen({ port }, nobody)),
      refusal("failed_precondition", new RegExp(`port ${String(port)} .*in use.*--port`)),
    );
  });

  test("an address that other machines can reach is refused with the reason", async () => {
    const subject = tools.subject();
    const hosts = [
      "0.0.0.0",
      "::",
      "192.168.1.1",
      "127.0.0.1.example.com",
      "127.1",
      "::ffff:127.0.0.1",
      "localhost.example.com",
      "",
    ];
    for (const host of hosts) {
      await assert.rejects(
        subject.wait(subject.listener.listen({ host, port: 0 }, nobody)),
        refusal("permission_denied", /neither encrypted nor authenticated.*127\.0\.0\.1/),
        host,
      );
    }
  });

  test("a port that is none is refused", async () => {
    const subject = tools.subject();
    for (const port of [-1, 1.5, 65_536, Number.NaN]) {
      await assert.rejects(
        subject.wait(subject.listener.listen({ port }, nobody)),
        refusal("invalid_argument", /port/),
      );
    }
  });

  test("a closed listener refuses, keeps open connections, and frees its port", async () => {
    const subject = tools.subject();
    const { listener, dialled, accepted } = await pair(tools, subject);
    await subject.wait(listener.close());
    await subject.wait(listener.close());
    const late = dial(subject, listener.address);
    await subject.wait(late.closed());
    assert.equal(late.ended?.reason.type, subject.refusedType);
    dialled.connection.send(Uint8Array.of(7));
    await subject.wait(accepted.until(() => accepted.frames.length === 1));
    const port = Number(new URL(listener.address).port);
    const again = await subject.wait(subject.listener.listen({ port }, nobody));
    assert.equal(again.address, listener.address);
    await subject.wait(again.close());
  });
}
