import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import type { FunctionStats } from "../../src/functions/function-stats.ts";
import { leastUsed } from "../../src/functions/least-used.ts";
import { Metering, meteredKeysMax } from "../../src/functions/metering.ts";

function metering(rowsMax?: number): Metering {
  return new Metering(7, rowsMax);
}

function read(m: Metering, names: readonly string[], topCount = 0): readonly FunctionStats[] {
  return m.read(names, topCount, () => 0);
}

/** A call with an input of so many bytes ended. */
function end(m: Metering, address: EntityAddress, use: Partial<Use> = {}): void {
  const { ms = 0, inputBytes = 0, resultBytes = 0, failed = false } = use;
  m.spent(address, ms);
  m.ended(address, inputBytes, resultBytes);
  if (failed) m.failed(address);
}

interface Use {
  readonly ms: number;
  readonly inputBytes: number;
  readonly resultBytes: number;
  readonly failed: boolean;
}

function at(name: string, partition = 0): EntityAddress {
  const [functionName = "", key = ""] = name.split("/");
  return new EntityAddress(functionName, key, partition);
}

test("what is counted is told by function and by key", () => {
  const m = metering();
  const alice = at("cart/alice");
  end(m, alice, { inputBytes: 10, resultBytes: 100 });
  end(m, alice, { ms: 2, inputBytes: 1, failed: true });
  m.spent(alice, 0.5);
  end(m, at("cart/bob"), { ms: 4, inputBytes: 2, resultBytes: 20 });
  const [cart, shop] = read(m, ["cart", "shop"], 5);
  const bob = { calls: 1, failures: 0, cpuMs: 4, bytesIn: 2, bytesOut: 20, stateBytes: 0 };
  const none = { calls: 0, failures: 0, cpuMs: 0, bytesIn: 0, bytesOut: 0, stateBytes: 0 };
  assert.deepEqual(cart, {
    ...{ name: "cart", keys: 2 },
    ...{ calls: 3, failures: 1, cpuMs: 6.5, bytesIn: 13, bytesOut: 120, stateBytes: 0 },
    top: [
      { key: "bob", ...bob },
      {
        key: "alice",
        calls: 2,
        failures: 1,
        cpuMs: 2.5,
        bytesIn: 11,
        bytesOut: 100,
        stateBytes: 0,
      },
    ],
    otherKeys: none,
  });
  assert.deepEqual(shop, { name: "shop", ...none, keys: 0, top: [], otherKeys: none });
  assert.deepEqual(read(m, ["shop"], 0), [{ name: "shop", ...none, keys: 0 }]);
  assert.equal(m.since, 7);
});

test("the keys with the most CPU time come first, then those with more calls, then by name", () => {
  const m = metering();
  const uses: readonly [string, number, number][] = [
    ["d", 1, 0],
    ["c", 1, 0],
    ["b", 2, 0],
    ["a", 1, 3],
    ["e", 1, 9],
  ];
  for (const [key, count, ms] of uses) {
    const address = at(`f/${key}`);
    for (let index = 0; index < count; index += 1) end(m, address);
    m.spent(address, ms);
  }
  const top = (count: number): unknown => read(m, ["f"], count)[0]?.top?.map(({ key }) => key);
  assert.deepEqual(top(10), ["e", "a", "b", "c", "d"]);
  assert.deepEqual(top(3), ["e", "a", "b"]);
  assert.deepEqual(top(1), ["e"]);
});

test("a key counts in one row, by whatever address it is called", () => {
  const m = metering();
  end(m, at("f/k"));
  end(m, at("f/k"));
  assert.equal(read(m, ["f"])[0]?.keys, 1);
  assert.equal(read(m, ["f"])[0]?.calls, 2);
});

test("rows grow as keys come, and lose nothing", () => {
  const m = metering();
  for (let key = 0; key < 1_000; key += 1) {
    end(m, at(`f/${String(key)}`), { inputBytes: key, failed: key % 2 === 0 });
  }
  const [f] = read(m, ["f"], 1_000);
  assert.deepEqual([f?.keys, f?.calls, f?.failures], [1_000, 1_000, 500]);
  assert.equal(f?.bytesIn, (999 * 1_000) / 2);
  for (const { key, bytesIn } of f.top ?? []) assert.equal(bytesIn, Number(key));
});

/** A table of four rows, all taken, of which "f/a" and "g/b" are used least. */
function fullMetering(): { m: Metering; addresses: readonly EntityAddress[] } {
  const m = metering(4);
  const addresses = ["f/a", "g/b", "f/c", "f/d"].map((name) => at(name));
  for (const [index, address] of addresses.entries()) {
    end(m, address, { inputBytes: 1 });
    m.spent(address, index);
  }
  return { m, addresses };
}

test("where all rows are taken, the half that was used least becomes other keys", () => {
  const { m } = fullMetering();
  end(m, at("f/e"), { inputBytes: 1 });
  const [f, g] = read(m, ["f", "g"], 10);
  const other = { calls: 1, failures: 0, cpuMs: 0, bytesIn: 1, bytesOut: 0, stateBytes: 0 };
  assert.deepEqual(sumsOf(f), { calls: 4, cpuMs: 5, keys: 3 });
  assert.deepEqual(keysOf(f), ["d", "c", "e"]);
  assert.deepEqual(f?.otherKeys, other);
  assert.deepEqual(sumsOf(g), { calls: 1, cpuMs: 1, keys: 0 });
  assert.deepEqual(g?.otherKeys, { ...other, cpuMs: 1 });
});

test("an address does not use a row that is another key's now", () => {
  const { m, addresses } = fullMetering();
  end(m, at("f/e"), { inputBytes: 1 });
  end(m, addresses[0]!);
  const [f] = read(m, ["f"], 10);
  const calls = Object.fromEntries((f?.top ?? []).map((use) => [use.key, use.calls]));
  assert.deepEqual(calls, { a: 1, c: 1, d: 1, e: 1 });
});

function sumsOf(stats: FunctionStats | undefined): unknown {
  assert.ok(stats !== undefined);
  const { calls, cpuMs, keys } = stats;
  return { calls, cpuMs, keys };
}

function keysOf(stats: FunctionStats | undefined): unknown {
  return stats?.top?.map(({ key }) => key);
}

test("no sum of a function changes by folding, whatever is called in whatever order", () => {
  const use = fc.record({
    fn: fc.constantFrom("f", "g", "h"),
    key: fc.nat(30),
    ms: fc.nat(5),
    isFailure: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 200 }), fc.integer({ min: 1, max: 12 }), (uses, max) => {
      const m = metering(max);
      const kept = new Map<string, EntityAddress>();
      const wanted = new Map<string, number[]>();
      for (const { fn, key, ms, isFailure } of uses) {
        const name = `${fn}/${String(key)}`;
        const address = kept.get(name) ?? at(name);
        kept.set(name, address);
        end(m, address, { ms, inputBytes: key, resultBytes: 2 * key, failed: isFailure });
        const sums = wanted.get(fn) ?? [0, 0, 0, 0, 0];
        const added = [1, isFailure ? 1 : 0, ms, key, 2 * key];
        wanted.set(
          fn,
          sums.map((sum, index) => sum + added[index]!),
        );
      }
      const names = ["f", "g", "h"];
      const stats = read(m, names, 1_000);
      let keys = 0;
      for (const [index, each] of stats.entries()) {
        keys += each.keys;
        const parts = [each.otherKeys!, ...each.top!];
        const sums = [each, ...parts].map((part) => {
          return [part.calls, part.failures, part.cpuMs, part.bytesIn, part.bytesOut];
        });
        assert.deepEqual(sums[0], wanted.get(names[index]!) ?? [0, 0, 0, 0, 0]);
        const ofParts = sums.slice(1).reduce((a, b) => a.map((sum, i) => sum + b[i]!));
        assert.deepEqual(ofParts, sums[0]);
      }
      assert.ok(keys <= max);
    }),
    { numRuns: 200 },
  );
});

test("a flood of new keys does not push out those that are used", () => {
  const m = metering(64);
  const busy = Array.from({ length: 16 }, (_, key) => at(`f/busy-${String(key)}`));
  for (let round = 0; round < 500; round += 1) {
    for (const address of busy) end(m, address);
    end(m, at(`f/once-${String(round)}`));
  }
  const [f] = read(m, ["f"], 16);
  assert.equal(f?.calls, 500 * 17);
  assert.ok(f.top?.every(({ key, calls }) => key.startsWith("busy-") && calls === 500));
});

test("a node tells as many keys apart as the limit says, and no more", () => {
  const m = metering();
  for (let key = 0; key <= meteredKeysMax; key += 1) end(m, at(`f/${String(key)}`));
  const [f] = read(m, ["f"], 0);
  assert.equal(f?.keys, meteredKeysMax / 2 + 1);
  assert.equal(f.calls, meteredKeysMax + 1);
});

test("the size of the state is asked for when it is told, key by key", () => {
  const m = metering(2);
  end(m, at("f/a", 1));
  end(m, at("f/b", 2), { ms: 1 });
  const sizes: Readonly<Record<string, number>> = { "1 f/a": 500, "2 f/b": 70, "3 f/c": 7 };
  const told = (): unknown => {
    const [f] = m.read(["f"], 5, (partition, name) => sizes[`${String(partition)} ${name}`] ?? 0);
    return [f?.stateBytes, f?.top?.map(({ stateBytes }) => stateBytes), f?.otherKeys?.stateBytes];
  };
  assert.deepEqual(told(), [570, [70, 500], 0]);
  end(m, at("f/c", 3));
  assert.deepEqual(told(), [77, [70, 7], 0], "that of a key that is not told apart is not known");
});

test("the least used are picked in one pass, as many as are wanted", () => {
  const pick = (uses: readonly number[], wanted: number): readonly number[] =>
    leastUsed(uses.length, wanted, (item) => uses[item]!);
  assert.deepEqual(pick([5, 1, 3, 2, 4], 3), [1, 2, 3]);
  assert.deepEqual(pick([7, 7, 7, 7], 2), [0, 1]);
  assert.deepEqual(pick([0, 1e-9, 1e9, 0], 3), [0, 1, 3]);
  fc.assert(
    fc.property(fc.array(fc.nat(1e6), { minLength: 1 }), fc.nat(), (uses, draw) => {
      const wanted = 1 + (draw % uses.length);
      const picked = new Set(pick(uses, wanted));
      assert.equal(picked.size, wanted);
      const most = Math.max(...uses.filter((_, item) => picked.has(item)));
      const least = Math.min(...uses.filter((_, item) => !picked.has(item)), Infinity);
      assert.ok(most <= least * 1.01, `${String(most)} was picked before ${String(least)}`);
    }),
  );
});
