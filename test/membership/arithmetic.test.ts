/** The formulas, by table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { witnessesNeeded } from "../../src/membership/hard-evidence.ts";
import { Health, failedProbePoints, loopDelayPoints } from "../../src/membership/health.ts";
import { retransmitLimit } from "../../src/membership/news.ts";
import {
  helpersToAsk,
  probePeriodMs,
  probeTimeoutMs,
  probeVerdictMs,
} from "../../src/membership/probe-timing.ts";
import { pushPullFactor } from "../../src/membership/push-pull.ts";
import { healProbability } from "../../src/membership/reunion.ts";
import { RoundTrips } from "../../src/membership/round-trips.ts";
import { defaultMembershipSettings, membershipSettings } from "../../src/membership/settings.ts";
import { utf8Bytes } from "../../src/membership/statement-size.ts";
import {
  confirmationsNeeded,
  suspicionMs,
  suspicionMsMin,
} from "../../src/membership/suspicion.ts";
import { isLate } from "../../src/membership/verdicts.ts";
import { watchedBy } from "../../src/membership/watched.ts";
import { successors } from "../../src/membership/witness.ts";

const defaults = defaultMembershipSettings;

function table<Row extends readonly unknown[]>(
  rows: readonly (readonly [...Row, number])[],
  compute: (...row: Row) => number,
): void {
  for (const row of rows) {
    const expected = row.at(-1) as number;
    const actual = compute(...(row.slice(0, -1) as unknown as Row));
    assert.ok(Math.abs(actual - expected) < 0.5, `${row.join(", ")}: got ${actual}`);
  }
}

test("the least suspicion grows with the logarithm of the cluster", () => {
  table<[number]>(
    [
      [1, 4000],
      [3, 4000],
      [10, 4000],
      [30, 5908],
      [100, 8000],
      [1000, 12_000],
    ],
    (memberCount) => suspicionMsMin(4, memberCount, 1000),
  );
});

test("a suspicion falls to its minimum once enough members agree", () => {
  table<[number, number]>(
    [
      [2, 0, 24_000],
      [2, 1, 11_381],
      [2, 2, 4000],
      [2, 3, 4000],
      [3, 1, 14_000],
      [0, 0, 4000],
      [0, 5, 4000],
    ],
    (needed, confirmations) => suspicionMs({ msMin: 4000, msMax: 24_000, needed }, confirmations),
  );
});

test("no confirmation is awaited where too few members could give one", () => {
  table<[number]>(
    [
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 2],
      [5, 2],
    ],
    (memberCount) => confirmationsNeeded(2, memberCount),
  );
});

test("a probe's timeout follows the round trips within bounds and the node's own health", () => {
  table<[number, number]>(
    [
      [0, 0, 500],
      [100, 0, 500],
      [200, 0, 800],
      [5000, 0, 2000],
      [0, 8, 4500],
      [200, 1, 1600],
    ],
    (p99, health) => probeTimeoutMs(defaults, p99, health),
  );
});

test("helpers get as long as the target had, and never less than the interval", () => {
  table<[number, number]>(
    [
      [500, 0, 1000],
      [800, 0, 1600],
      [500, 3, 4000],
      [4500, 8, 9000],
    ],
    (timeoutMs, health) => probeVerdictMs(defaults, timeoutMs, health),
  );
  assert.equal(probePeriodMs(defaults, 0), 1000);
  assert.equal(probePeriodMs(defaults, 8), 9000);
});

test("at most three helpers, never the target or oneself", () => {
  table<[number]>(
    [
      [1, 0],
      [2, 0],
      [3, 1],
      [4, 2],
      [5, 3],
      [100, 3],
    ],
    (memberCount) => helpersToAsk(3, memberCount),
  );
});

test("news is retold often enough to reach everybody, and to all others in small clusters", () => {
  table<[number]>(
    [
      [1, 4],
      [2, 4],
      [5, 4],
      [6, 5],
      [10, 9],
      [12, 11],
      [30, 13],
      [99, 14],
      [1000, 16],
      [10_000, 20],
    ],
    (memberCount) => retransmitLimit(4, 9, memberCount),
  );
});

test("push/pull becomes rarer above 32 members", () => {
  table<[number]>(
    [
      [1, 1],
      [32, 1],
      [33, 2],
      [64, 2],
      [65, 3],
      [1000, 6],
    ],
    pushPullFactor,
  );
});

test("the whole cluster makes about three attempts to heal per interval", () => {
  table<[number]>(
    [
      [1, 1],
      [3, 1],
    ],
    (memberCount) => healProbability(3, memberCount),
  );
  assert.equal(healProbability(3, 300), 0.01);
});

test("health stays within 0 and 8", () => {
  const health = new Health(8);
  health.change(-1);
  assert.equal(health.score, 0);
  for (let index = 0; index < 20; index++) health.change(1);
  assert.equal(health.score, 8);
  health.change(-1);
  assert.equal(health.score, 7);
});

test("a slow event loop and missing nacks count against oneself", () => {
  assert.equal(loopDelayPoints(250, defaults), 0);
  assert.equal(loopDelayPoints(251, defaults), 1);
  assert.equal(loopDelayPoints(1001, defaults), 3);
  assert.equal(failedProbePoints(0, 0), 1);
  assert.equal(failedProbePoints(3, 2), 1);
  assert.equal(failedProbePoints(3, 3), 0);
});

test("one witness is enough among three, two among more", () => {
  assert.deepEqual(
    [1, 2, 3, 4, 100].map((memberCount) => witnessesNeeded(2, memberCount)),
    [1, 1, 1, 2, 2],
  );
});

test("a verdict is late only beyond 50 ms", () => {
  assert.equal(isLate(1000, 1050, defaults.verdictLatenessMs), false);
  assert.equal(isLate(1000, 1051, defaults.verdictLatenessMs), true);
});

test("the p99 of round trips ignores one outlier in a hundred and forgets old ones", () => {
  const trips = new RoundTrips(100);
  assert.equal(trips.p99Ms, 0);
  trips.add(7);
  assert.equal(trips.p99Ms, 7);
  for (let index = 0; index < 98; index++) trips.add(1);
  trips.add(900);
  assert.equal(trips.p99Ms, 7);
  for (let index = 0; index < 100; index++) trips.add(2);
  assert.equal(trips.p99Ms, 2);
});

test("UTF-8 lengths agree with an encoder", () => {
  for (const text of ["", "node-1", "zürich", "東京", "🐙 octopus", "\ud800"]) {
    assert.equal(utf8Bytes(text), new TextEncoder().encode(text).length, text);
  }
});

test("all witnesses of one subject meet at the same members", () => {
  assert.deepEqual(successors(["d", "a", "c", "b"], "b", 2), ["c", "d"]);
  assert.deepEqual(successors(["d", "a", "c"], "c", 2), ["d", "a"]);
  assert.deepEqual(successors(["a"], "z", 2), ["a"]);
  assert.deepEqual(successors(["z"], "z", 2), []);
});

test("every member is looked after by as many others, whoever comes and goes", () => {
  const all = Array.from({ length: 40 }, (_, index) => `node-${String(index)}`);
  for (const ids of [all, all.slice(0, 30), all.slice(7)]) {
    const watchers = new Map<string, number>();
    for (const self of ids) {
      const watched = watchedBy(self, ids, 3);
      assert.equal(new Set(watched).size, 3);
      assert.ok(!watched.includes(self));
      for (const id of watched) watchers.set(id, (watchers.get(id) ?? 0) + 1);
    }
    assert.deepEqual([...new Set(watchers.values())], [3]);
  }
  assert.deepEqual(watchedBy("a", ["b", "a"], 3), ["b"]);
  assert.deepEqual(watchedBy("a", [], 3), []);
});

test("a setting that is no positive number is refused by name", () => {
  for (const value of [0, -1, Number.NaN, Infinity]) {
    assert.throws(() => membershipSettings({ probeIntervalMs: value }), {
      code: "invalid_argument",
      message: /probeIntervalMs/,
    });
  }
});
