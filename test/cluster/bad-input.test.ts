/** Everything that a client can get wrong, against a real node: a clear error, and nothing else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LatticeError, type ErrorCode } from "latticework";
import { connect, type Client } from "latticework/client";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import type { Functions } from "./functions/hostile.ts";

const functionsFile = fileURLToPath(new URL("functions/hostile.ts", import.meta.url));

/** As untyped callers reach it: names and inputs are whatever they are. */
type Anything = Record<string, (input?: unknown) => Promise<unknown>>;

let node: NodeProcess;
let client: Client<Functions>;

before(async () => {
  node = await NodeProcess.start(["--port", "0", "--functions", functionsFile]);
  client = await connect<Functions>({ nodes: [node.address] });
});

after(async () => {
  await client.close();
  await node.kill();
});

function anything(functionName: string, key: string): Anything {
  return client.get(functionName as "fragile", key) as unknown as Anything;
}

async function rejects(code: ErrorCode, message: RegExp, call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => {
      await call();
    },
    (error) => {
      assert.ok(error instanceof LatticeError, `no LatticeError: ${String(error)}`);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    },
  );
}

/** What a handler throws is for the log of its node: its callers may be anybody. */
const hidden = /the handler failed; the log of its node says why/;

test("an unknown function is not found, and the error names those that exist", async () => {
  await rejects("not_found", /no function.*fragil.*fragile/, () =>
    anything("fragil", "k")["add"]!(1),
  );
});

test("an unknown handler is not found, and the error names those that exist", async () => {
  await rejects("not_found", /adds?.*add/, () => anything("fragile", "k")["addd"]!(1));
});

test("a key of 512 bytes works, one byte more is refused", async () => {
  const longest = "é".repeat(256);
  await client.get("fragile", longest).add(1);
  assert.equal(await client.get("fragile", longest).count(), 1);
  await rejects("invalid_argument", /longer than 512 bytes/, () =>
    client.get("fragile", `${longest}x`).add(1),
  );
});

for (const name of ["__proto__", "constructor", "prototype"]) {
  test(`${name} is no key, no field and no entry, and pollutes nothing`, async () => {
    await rejects("invalid_argument", /reserved/, () => client.get("fragile", name).add(1));
    const input = JSON.parse(`{"inner":{"${name}":{"1":1}}}`) as unknown;
    await rejects("invalid_argument", new RegExp(`inner.*${name}|${name}`), () =>
      anything("fragile", "k")["keep"]!(input),
    );
    // A handler that passes a bad name on has thrown: the log of its node says which name.
    await rejects("handler_error", hidden, () => client.get("fragile", "k").enter(name));
    const logged = new RegExp(`"operation":"enter".*key \\\\"${name}\\\\" is refused`);
    await until("the log says so", 5_000, () => logged.test(node.output));
    assert.deepEqual(await client.get("fragile", "k").names(), []);
    assert.equal(await client.get("fragile", "k").polluted(), 0);
  });
}

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;
const notValues: readonly (readonly [string, unknown, RegExp])[] = [
  ["a Set", { tags: new Set(["a"]) }, /tags/],
  ["a Map", { by: new Map() }, /by/],
  ["a BigInt", { price: 1n }, /price.*BigInt/i],
  ["a cycle", cycle, /self|cycle|depth/i],
  ["a function", { run: () => 1 }, /run/],
  ["a Date", { at: new Date(0) }, /at/],
  ["NaN", { n: NaN }, /n/],
  ["a symbol", { s: Symbol("s") }, /s/],
];
for (const [what, value, path] of notValues) {
  test(`${what} is no value, and the error names its path`, async () => {
    await rejects("invalid_argument", path, () => anything("fragile", "k")["keep"]!(value));
  });
}

test("a payload above 1 MiB is refused, and the link goes on", async () => {
  await rejects("too_large", /1048576/, () =>
    anything("fragile", "k")["keep"]!("x".repeat(1024 * 1024 + 1)),
  );
  await rejects("too_large", /1048576/, () =>
    anything("fragile", "k")["keep"]!(new Uint8Array(1024 * 1024 + 1)),
  );
  await client.get("fragile", "after-large").add(1);
});

const failures: readonly (readonly [string, ErrorCode, RegExp])[] = [
  ["throwAfterAdding", "handler_error", hidden],
  ["rejectAfterAdding", "handler_error", hidden],
  ["refuseAfterAdding", "failed_precondition", /out of stock/],
  ["returnNoValue", "invalid_argument", /result.*Set/],
];
for (const [handler, code, message] of failures) {
  test(`${handler} fails with ${code} and changes nothing`, async () => {
    const key = `failing-${handler}`;
    await client.get("fragile", key).add(1);
    await rejects(code, message, () => anything("fragile", key)[handler]!());
    assert.equal(await client.get("fragile", key).count(), 1);
    await client.get("fragile", key).add(1);
    assert.equal(await client.get("fragile", key).count(), 2);
  });
}

test("a refusal carries its data to the caller", async () => {
  const error: unknown = await client
    .get("fragile", "refused")
    .refuseAfterAdding()
    .catch((reason: unknown) => reason);
  assert.deepEqual((error as LatticeError).data, { left: 0 });
});

test("a handler that never settles ends at its deadline, and the key goes on", async () => {
  const fragile = client.get("fragile", "stuck");
  const startedAt = performance.now();
  const stuck = rejects("deadline_exceeded", /./, () => fragile.neverAfterAdding());
  await stuck;
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs < 3_000, `took ${String(tookMs)} ms`);
  await fragile.add(1);
  assert.equal(await fragile.count(), 1);
});

test("writing after the turn changes nothing and does not end the node", async () => {
  const fragile = client.get("fragile", "late");
  await fragile.writeTooLate();
  await fragile.rejectAside();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(await fragile.count(), 0);
});

test("the node still runs and has lost no link", async () => {
  assert.equal((await node.status()).ready, true);
  assert.equal((await node.status()).clients, 1);
});
