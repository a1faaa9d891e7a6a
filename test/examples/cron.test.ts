/** The example of jobs that run by the calendar: what its one command prints, and the calendar itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCluster } from "latticework/testing";
import { nextTime, readCalendar } from "../../examples/cron/calendar.ts";
import { functions } from "../../examples/cron/functions.ts";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { runProgram } from "../support/run-program.ts";

/** From the first of January 2026, a Thursday. */
function next(text: string, after = "2026-01-01T00:00:00Z"): string {
  const at = nextTime(readCalendar(text), Date.parse(after));
  return at === undefined ? "never" : new Date(at).toISOString().slice(0, 16);
}

test("a calendar finds the next time that fits all its parts", () => {
  assert.equal(next("* * * * *"), "2026-01-01T00:01");
  assert.equal(next("0 3 * * *"), "2026-01-01T03:00");
  assert.equal(next("0 0 * * *"), "2026-01-02T00:00");
  assert.equal(next("*/15 * * * *", "2026-01-01T00:31:30Z"), "2026-01-01T00:45");
  assert.equal(next("10-50/20 12 * * *", "2026-01-01T12:10:00Z"), "2026-01-01T12:30");
  assert.equal(next("0 9,17 * * *", "2026-01-01T09:00:00Z"), "2026-01-01T17:00");
  assert.equal(next("0 0 1 3 *"), "2026-03-01T00:00");
  assert.equal(next("0 12 * * 1-5", "2026-01-02T12:00:00Z"), "2026-01-05T12:00");
  assert.equal(next("0 0 13 * 5"), "2026-01-02T00:00", "either of the days");
  assert.equal(next("0 0 29 2 *"), "2028-02-29T00:00");
  assert.equal(next("0 0 31 2 *"), "never");
});

test("what is no calendar is refused, with the part that is wrong", () => {
  const wrong = {
    "* * * *": /needs five parts/,
    "60 * * * *": /"60" is no minute: 0 to 59/,
    "* 5-3 * * *": /"5-3" is no hour/,
    "* * 0 * *": /"0" is no day/,
    "* * * jan *": /"jan" is no month/,
    "* * * * */0": /"\*\/0" is no weekday/,
  };
  for (const [text, words] of Object.entries(wrong)) {
    assert.throws(() => readCalendar(text), { name: "RangeError", message: words });
  }
});

test("a job runs each time once, until it is stopped", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 2, partitions: 8 });
  const job = cluster.client.get("job", "a");
  assert.equal(await job.plan("*/2 * * * *"), "2026-01-01T00:02:00.000Z");
  await cluster.advance(125_000);
  assert.deepEqual([await job.runs(), await job.next()], [1, "2026-01-01T00:04:00.000Z"]);
  await cluster.advance(120_000);
  assert.equal(await job.stop(), true);
  await cluster.advance(240_000);
  assert.deepEqual([await job.runs(), await job.next()], [2, "never"]);
  await assert.rejects(job.plan("every day"), { code: "invalid_argument" });
  const lines = await cluster.client.get("journal", "all").lines();
  assert.deepEqual(
    lines.map((line) => line.job),
    ["a", "a"],
  );
});

test("the command shows that every job ran when it was due, though a node was killed", async () => {
  const [script = ""] = await bundle(["examples/cron/main.ts"]);
  const options = { cwd: repositoryRoot, timeoutMs: 120_000 };
  const { code, output } = await runProgram(process.execPath, [script], options);
  assert.equal(code, 0, output);
  const ran = [...output.matchAll(/^2026-01-01T(\d\d:\d\d):00\.000Z (\w+)$/gm)];
  assert.deepEqual(
    ran.map(([, at = "", name = ""]) => `${at} ${name}`),
    [
      "00:10 report",
      "00:15 tidy",
      "00:20 report",
      "00:30 report",
      "00:40 report",
      "00:45 tidy",
      "00:50 report",
      "01:00 report",
    ],
    output,
  );
  assert.match(output, /node-\d, which ran the reports, is killed/);
  assert.match(output, /backup +ran 0 times, next 2026-01-01T03:05/);
});
