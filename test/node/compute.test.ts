/** Both ways in which the function of a module is run: in a thread, and in the process of a simulation. */
import assert from "node:assert/strict";
import { setMaxListeners } from "node:events";
import { after, test } from "node:test";
import { decodeValue, encodeValue } from "../../src/codec/value-bytes.ts";
import type { Compute } from "../../src/functions/ports.ts";
import { LatticeError } from "../../src/model/error.ts";
import type { ErrorCode } from "../../src/model/error.ts";
import type { Value } from "../../src/model/value.ts";
import { computeQueueMax, ThreadPool } from "../../src/node/compute/thread-pool.ts";
import type { Logger } from "../../src/platform/platform.ts";
import { silentLogger } from "../../src/platform/silent-logger.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { InProcessCompute } from "../../src/testing/in-process-compute.ts";
import { WrittenModules } from "../support/written-modules.ts";

const modules = new WrittenModules({
  double: "export default (n) => n * 2;",
  later: "export default async (n) => { await null; return { given: n ?? 'nothing' }; };",
  nothing: "export default () => {};",
  huge: "export default () => 'x'.repeat(2 ** 20 + 1);",
  circle: "export default () => { const a = []; a.push(a); return [1, a]; };",
  large: "export default () => [1, 2n];",
  throwing: "export default (n) => { throw new RangeError(`no ${n}`); };",
  rejecting: "export default async () => { throw 'a text'; };",
  named: "export const double = (n) => n * 2; export default { double };",
  broken: "export default (n => ;",
  breaking: "throw new Error('not today'); export default () => 1;",
  spin: "export default () => { new BroadcastChannel('begun').postMessage(1); for (;;); };",
  never: `export default () => {
    new BroadcastChannel("begun").postMessage(1);
    return new Promise(() => {});
  };`,
  exit: "export default () => { process.exit(3); };",
  littering: "export default () => { setTimeout(() => { throw new Error('late'); }, 20); };",
});
after(() => {
  modules.remove();
});

async function run(
  compute: Compute,
  name: string,
  input?: Value,
  signal = new AbortController().signal,
): Promise<Value | undefined> {
  const bytes = input === undefined ? new Uint8Array(0) : encodeValue(input);
  const result = await compute.run({ module: modules.url(name), input: bytes, signal });
  return result.length === 0 ? undefined : decodeValue(result);
}

/** Resolves when a module says that its function runs: from a thread that then does not listen. */
function begun(): Promise<void> {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel("begun");
    channel.onmessage = () => {
      channel.close();
      resolve();
    };
  });
}

function has(code: ErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof LatticeError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

const kinds: readonly [string, () => { compute: Compute; close: () => Promise<void> }][] = [
  [
    "in a thread",
    () => {
      const pool = new ThreadPool({ logger: silentLogger, threads: 2 });
      return { compute: pool, close: () => pool.close() };
    },
  ],
  [
    "in a simulation",
    () => ({
      compute: new InProcessCompute(new VirtualTime({ seed: 1 })),
      close: () => Promise.resolve(),
    }),
  ],
];

for (const [kind, make] of kinds) {
  test(`${kind}: values go in and come out`, async () => {
    const { compute, close } = make();
    assert.equal(await run(compute, "double", 21), 42);
    assert.deepEqual(await run(compute, "later"), { given: "nothing" });
    const bytes = Uint8Array.of(1, 2, 3);
    assert.deepEqual(await run(compute, "later", bytes), { given: bytes });
    assert.equal(await run(compute, "nothing", 1), undefined);
    const many = Array.from({ length: 30 }, (_, n) => run(compute, "double", n));
    assert.deepEqual(
      await Promise.all(many),
      Array.from({ length: 30 }, (_, n) => n * 2),
    );
    await close();
  });

  test(`${kind}: what cannot be a result is refused by its path, or for its size`, async () => {
    const { compute, close } = make();
    await assert.rejects(run(compute, "large"), has("invalid_argument", /result\[1\]: BigInt/));
    await assert.rejects(run(compute, "circle"), has("invalid_argument", /result/));
    await assert.rejects(run(compute, "huge"), has("too_large", /1048576 bytes/));
    await close();
  });

  test(`${kind}: a module without a function is refused by its URL`, async () => {
    const { compute, close } = make();
    for (const name of ["missing", "broken", "breaking"]) {
      const refusal = has("invalid_argument", new RegExp(`/${name}\\.mjs cannot be loaded: `));
      await assert.rejects(run(compute, name), refusal);
    }
    const refusal = has("invalid_argument", /\/named\.mjs has no function as its default export/);
    await assert.rejects(run(compute, "named"), refusal);
    await close();
  });

  test(`${kind}: what the function throws is thrown here, and no error of ours`, async () => {
    const { compute, close } = make();
    await assert.rejects(run(compute, "throwing", 7), (error) => {
      assert.ok(error instanceof Error && !(error instanceof LatticeError));
      assert.deepEqual([error.name, error.message], ["RangeError", "no 7"]);
      assert.match(error.stack ?? "", /throwing\.mjs/);
      return true;
    });
    await assert.rejects(run(compute, "rejecting"), { name: "Error", message: "a text" });
    assert.equal(await run(compute, "double", 1), 2);
    await close();
  });
}

test("a run that never ends is terminated with its signal, and what waits behind it runs", async () => {
  const pool = new ThreadPool({ logger: silentLogger, threads: 1 });
  for (const name of ["spin", "never"]) {
    const abort = new AbortController();
    const runs = begun();
    const endless = run(pool, name, 1, abort.signal);
    const waiting = [run(pool, "double", 1), run(pool, "double", 2)];
    const gone = new AbortController();
    const givenUp = run(pool, "double", 3, gone.signal);
    gone.abort(new LatticeError("cancelled", "nobody waits"));
    await assert.rejects(givenUp, has("cancelled", /nobody waits/));
    await runs;
    abort.abort(new LatticeError("deadline_exceeded", "time is up"));
    await assert.rejects(endless, has("deadline_exceeded", /time is up/));
    assert.deepEqual(await Promise.all(waiting), [2, 4]);
  }
  const aborted = AbortSignal.abort(new LatticeError("cancelled", "before it began"));
  await assert.rejects(run(pool, "double", 1, aborted), has("cancelled", /before it began/));
  assert.equal(await run(pool, "double", 5), 10);
  await pool.close();
});

test("no more than so many wait for a thread", async () => {
  const pool = new ThreadPool({ logger: silentLogger, threads: 1 });
  const abort = new AbortController();
  const reason = new LatticeError("cancelled", "enough");
  setMaxListeners(0, abort.signal);
  const runs = Array.from({ length: computeQueueMax + 1 }, () =>
    run(pool, "spin", 1, abort.signal),
  );
  await assert.rejects(run(pool, "double", 1), has("overloaded", /256 computations wait for 1/));
  abort.abort(reason);
  for (const outcome of await Promise.allSettled(runs)) {
    assert.equal(outcome.status === "rejected" && outcome.reason, reason);
  }
  assert.equal(await run(pool, "double", 1), 2);
  await pool.close();
});

test("a thread that ends itself, or fails when nobody waits for it, is replaced", async () => {
  let noteFailure: (fields: unknown) => void = () => assert.fail("a failure too early");
  const logger: Logger = { ...silentLogger, warn: (_message, fields) => noteFailure(fields) };
  const pool = new ThreadPool({ logger, threads: 1 });
  await assert.rejects(run(pool, "exit"), /exited with code: 3/);
  assert.equal(await run(pool, "double", 1), 2);
  const failure = new Promise((resolve) => (noteFailure = resolve));
  // A thread that nobody waits for does not keep the process alive.
  const alive = new BroadcastChannel("alive");
  alive.onmessage = () => undefined;
  assert.equal(await run(pool, "littering"), undefined);
  assert.match(String(((await failure) as { error: Error }).error), /late/);
  alive.close();
  assert.equal(await run(pool, "double", 2), 4);
  await pool.close();
});

test("a pool that is closed ends what runs and takes no more", async () => {
  const pool = new ThreadPool({ logger: silentLogger, threads: 1 });
  const runs = begun();
  const endless = assert.rejects(run(pool, "spin"));
  await runs;
  await pool.close();
  await endless;
  await assert.rejects(run(pool, "double", 1), has("unavailable", /stopping/));
  await new ThreadPool({ logger: silentLogger }).close();
});
