/** The time of the cluster as one process has it: corrected by readings, never by the wall clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClusterClock, clockSkewMsMax, slewMsPerMs } from "../../src/membership/cluster-clock.ts";
import { hybridTicksPerMs, hybridTimeToMs } from "../../src/model/time.ts";

const wallMs = Date.UTC(2026, 0);
const hourMs = 3_600_000;

/** A clock that started at 0 and is so far off. */
function clockOff(byMs: number, isSettled = true): ClusterClock {
  const clock = new ClusterClock(0, wallMs + byMs);
  if (isSettled) clock.settle();
  return clock;
}

interface Reading {
  /** How far the other clock is off. */
  readonly offMs: number;
  readonly at: number;
  readonly roundTripMs?: number;
  /** How much of the round trip had passed when the reading was taken. */
  readonly share?: number;
  readonly isSettled?: boolean;
}

function read(clock: ClusterClock, node: string, reading: Reading): number {
  const { offMs, at, roundTripMs = 2, share = 0.5, isSettled = true } = reading;
  const askedAt = at - roundTripMs;
  const readMs = wallMs + askedAt + share * roundTripMs + offMs;
  return clock.sample(node, { readMs, isSettled, askedAt, answeredAt: at });
}

function offOf(clock: ClusterClock, now: number): number {
  return clock.read(now) - wallMs - now;
}

test("it runs with the monotonic clock, from what the wall clock said at the start", () => {
  const clock = new ClusterClock(500, wallMs);
  assert.equal(clock.read(500), wallMs);
  assert.equal(clock.read(1_500.25), wallMs + 1_000.25);
  assert.equal(clock.reading(1_500.25), (wallMs + 1_000.25) * hybridTicksPerMs);
});

test("a newcomer takes the time of the first member over, whatever its wall clock says", () => {
  for (const byMs of [-hourMs, -100, 100, hourMs]) {
    const clock = clockOff(byMs, false);
    const aheadMs = read(clock, "a", { offMs: 0, at: 10 });
    assert.equal(offOf(clock, 10), 0);
    assert.equal(aheadMs, Math.abs(byMs) > clockSkewMsMax ? byMs : 0);
    assert.equal(clock.isSettled, true);
    assert.equal(hybridTimeToMs(clock.stamp(11)), wallMs + 11);
  }
});

test("half the round trip is subtracted, and a slow answer says nothing", () => {
  const clock = clockOff(hourMs, false);
  assert.equal(read(clock, "a", { offMs: 0, at: 5_000, roundTripMs: 2_500 }), 0);
  assert.equal(clock.isSettled, false);
  read(clock, "a", { offMs: 0, at: 6_000, roundTripMs: 400 });
  assert.equal(offOf(clock, 6_000), 0);
});

test("a settled clock minds settled ones only", () => {
  const clock = clockOff(0);
  for (const node of ["a", "b", "c"]) {
    assert.equal(read(clock, node, { offMs: hourMs, at: 10, isSettled: false }), 0);
  }
  assert.equal(offOf(clock, 60_000), 0);
});

test("before a cluster exists the one that is wrong goes with the majority", () => {
  const clock = clockOff(hourMs, false);
  assert.equal(read(clock, "a", { offMs: 20, at: 10, isSettled: false }), 0);
  const aheadMs = read(clock, "b", { offMs: 0, at: 11, isSettled: false });
  assert.equal(Math.round(aheadMs), hourMs - 20);
  assert.equal(offOf(clock, 11), 20);
  assert.equal(clock.isSettled, false);
  // What it heard before is forgotten as soon as somebody knows the time.
  read(clock, "c", { offMs: 7, at: 12 });
  assert.equal(offOf(clock, 12), 7);
  assert.equal(offOf(clock, 60_000), 7);
});

test("it is slewed to the median by a millisecond in a second, and no further", () => {
  const clock = clockOff(0);
  read(clock, "a", { offMs: 9, at: 10 });
  read(clock, "b", { offMs: 3, at: 10 });
  assert.equal(offOf(clock, 10), 0);
  assert.ok(Math.abs(offOf(clock, 1_010) - 1) < 1e-3);
  assert.ok(Math.abs(offOf(clock, 60_000) - 3) < 1e-3);
  let last = -Infinity;
  const behind = clockOff(2_000);
  read(behind, "a", { offMs: 0, at: 10 });
  for (let now = 10; now < 10_000; now += 0.5) {
    const time = behind.read(now);
    assert.ok(time > last, "time goes back while it is slewed");
    last = time;
  }
  assert.ok(Math.abs(offOf(behind, 10_010) - (2_000 - 10_000 * slewMsPerMs)) < 1e-3);
});

test("two members meet in the middle, and none of them is set", () => {
  const clock = clockOff(0);
  assert.equal(read(clock, "a", { offMs: hourMs, at: 10 }), 0);
  assert.ok(Math.abs(offOf(clock, 10_010) - 10) < 1e-3);
});

test("one of three that is far from the median is set to it, and the other two are not", () => {
  const wrong = clockOff(hourMs);
  read(wrong, "a", { offMs: 0, at: 10 });
  assert.equal(Math.round(read(wrong, "b", { offMs: 0, at: 11 })), hourMs);
  assert.ok(Math.abs(offOf(wrong, 11)) < 1e-3);
  const right = clockOff(0);
  assert.equal(read(right, "a", { offMs: 0, at: 10 }), 0);
  assert.equal(read(right, "wrong", { offMs: hourMs, at: 11 }), 0);
  assert.equal(offOf(right, 60_000), 0);
});

test("stamps rise, also when the clock was set back", () => {
  const clock = clockOff(hourMs);
  let last = clock.stamp(0);
  read(clock, "a", { offMs: 0, at: 10 });
  read(clock, "b", { offMs: 0, at: 11 });
  for (let now = 11; now < 100; now++) {
    const stamp = clock.stamp(now);
    assert.ok(stamp > last);
    last = stamp;
  }
  // It did not run on from where it was: it waits until time has caught up.
  assert.equal(hybridTimeToMs(last), wallMs + hourMs);
});

test("a member that is gone counts no more", () => {
  const clock = clockOff(0);
  read(clock, "a", { offMs: 4_000, at: 10 });
  clock.keep((node) => node !== "a");
  read(clock, "b", { offMs: 0, at: 11 });
  const before = offOf(clock, 11);
  assert.ok(offOf(clock, 10_000) <= before);
});

test("the closest of the recent answers counts, until one contradicts it", () => {
  const clock = clockOff(0);
  read(clock, "a", { offMs: 1, at: 1_000, roundTripMs: 1 });
  // All of its delay lay on the way back.
  read(clock, "a", { offMs: 1, at: 2_000, roundTripMs: 400, share: 0 });
  assert.ok(offOf(clock, 60_000) <= 1, "the worse answer counted");
  const set = clockOff(0);
  read(set, "a", { offMs: 0, at: 1_000, roundTripMs: 1 });
  read(set, "a", { offMs: 3_000, at: 2_000, roundTripMs: 400 });
  assert.ok(offOf(set, 1_000_000) > 500, "a clock that was set is still believed to be as it was");
});

test("a stamp from elsewhere moves this clock on, but not one from the future", () => {
  const clock = clockOff(0);
  const soon = (wallMs + 4_000) * hybridTicksPerMs;
  assert.equal(clock.observe(soon, 0), 0);
  assert.equal(clock.stamp(0), soon + 1);
  const future = (wallMs + hourMs) * hybridTicksPerMs;
  assert.equal(clock.observe(future, 0), hourMs);
  assert.equal(clock.stamp(0), soon + 2);
  assert.equal(clock.observe(soon, 0), 0);
  assert.equal(clock.stamp(0), soon + 3, "an older stamp set it back");
});
