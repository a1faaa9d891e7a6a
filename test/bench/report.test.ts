/** What is made of measurements: medians of ratios, and runs that say nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { w1 } from "../../bench/cluster/w1.ts";
import type { Measurement } from "../../bench/lib/fleet.ts";
import { Latencies } from "../../bench/lib/latencies.ts";
import type { Cell } from "../../bench/lib/measure.ts";
import { clusterReport } from "../../bench/lib/report.ts";
import { describeMachine } from "../../bench/lib/machine.ts";
import { htmlPage } from "../../bench/lib/page.ts";
import { median, medianRatio } from "../../bench/lib/statistics.ts";
import type { SubjectName } from "../../bench/lib/subjects.ts";

function cell(subject: SubjectName, rates: readonly number[]): Cell {
  const measurements = rates.map((callsPerS): Measurement => {
    const us = callsPerS === 0 ? 0 : 1e6 / callsPerS;
    return measurementOf(callsPerS, us);
  });
  return { subject, load: { type: "closed", concurrency: 256 }, measurements };
}

function measurementOf(callsPerS: number, us: number): Measurement {
  return {
    callsPerS,
    callsInAll: callsPerS,
    p50Us: us,
    p90Us: us,
    p99Us: 2 * us,
    p999Us: 2 * us,
    maxUs: 2 * us,
    clientUsPerCall: 1,
    serverUsPerCall: 1,
  };
}

test("a ratio is the median of the ratios within each repetition", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  // In the second repetition something slowed both down.
  assert.equal(medianRatio([50, 5, 52], [100, 10, 100]), 0.5);
});

test("a run in which the batched reference is below 4 echoes is invalid, and says so", () => {
  const product = cell("latticework", [300, 300]);
  const echo = cell("raw-echo", [100, 100]);
  const good = clusterReport(w1, [product, cell("batched-counter", [600, 600]), echo]);
  assert.equal(good.invalid, undefined);
  const ratios = good.rows[0]?.ratios.map(({ reference, throughput }) => [reference, throughput]);
  assert.deepEqual(ratios, [
    ["batched-counter", 0.5],
    ["raw-echo", 3],
  ]);
  const bad = clusterReport(w1, [product, cell("batched-counter", [390, 390]), echo]);
  assert.match(bad.invalid ?? "", /3\.90 × the raw echo at c = 256, below 4/);
});

test("a run in which a subject answered nothing is invalid, and has no ratio to it", () => {
  const cells = [
    cell("latticework", [300, 300]),
    cell("batched-counter", [600, 0]),
    cell("raw-echo", [0, 0]),
  ];
  const report = clusterReport(w1, cells);
  assert.match(report.invalid ?? "", /batched-counter answered no call .* at c = 256.*--ms/);
  for (const { ratios } of report.rows) {
    for (const { throughput } of ratios) assert.ok(Number.isFinite(throughput));
  }
  const silent = clusterReport(
    w1,
    w1.subjects.map((subject) => cell(subject, [0])),
  );
  const page = htmlPage({
    machine: describeMachine(),
    repetitions: 1,
    clusters: [report, silent],
    micro: [],
  });
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

test("latencies are summed up to three digits", () => {
  const latencies = new Latencies();
  for (let us = 1; us <= 1_000; us++) latencies.record(us / 1_000);
  const { p50Us, p99Us, maxUs } = latencies.summary();
  assert.ok(Math.abs(p50Us - 500) < 1 && Math.abs(p99Us - 990) < 2 && Math.abs(maxUs - 1_000) < 2);
});
