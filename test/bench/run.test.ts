/** Every bench runs, in a size that only shows that it can. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { parseBenchArguments } from "../../bench/lib/arguments.ts";
import type { Report } from "../../bench/lib/report.ts";

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const [program = ""] = await bundle(["bench/run.ts"]);

function bench(...args: string[]): Run {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: repositoryRoot,
    encoding: "utf8",
    timeout: 120_000,
  });
}

test("every bench runs in its smoke size, and writes what it found", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "latticework-bench-"));
  try {
    const json = path.join(folder, "report.json");
    const html = path.join(folder, "report.html");
    const names = ["w1", "w1-replicated", "local", "codec", "route", "turn", "entity", "merge"];
    const size = ["--smoke", "--repetitions", "1", "--ms", "160"];
    const run = bench(...names, ...size, "--json", json, "--html", html);
    assert.equal(run.stderr.replace(/^npm warn.*$/gm, "").trim(), "");
    const report = JSON.parse(readFileSync(json, "utf8")) as Report;
    // On a busy machine so short a run may be invalid: it must then say so, here and there.
    const invalid = report.clusters.filter((cluster) => cluster.invalid !== undefined);
    assert.equal(run.status, invalid.length === 0 ? 0 : 1);
    assert.equal(run.stdout.includes("INVALID"), invalid.length > 0);
    assert.deepEqual(
      report.clusters.map(({ name }) => name),
      ["w1", "w1-replicated", "local"],
    );
    const valid = report.clusters.filter((cluster) => cluster.invalid === undefined);
    for (const row of valid.flatMap(({ rows }) => rows)) {
      assert.ok(row.callsPerS > 0, `${row.subject} answered no call`);
      assert.ok(row.p50Us > 0 && row.p99Us >= row.p50Us);
      for (const ratio of row.ratios) assert.ok(ratio.throughput > 0);
    }
    assert.deepEqual(new Set(report.micro.map((result) => result.bench)).size, 5);
    for (const { nsPerOperation } of report.micro) assert.ok(nsPerOperation > 0);
    assert.match(run.stdout, /latticework +c = 256/);
    const page = readFileSync(html, "utf8");
    assert.match(page, /<svg/);
    assert.doesNotMatch(page, /NaN|undefined/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a wrong argument ends with one line that says what is right", () => {
  const unknown = bench("w9");
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /no bench is called w9; there are w1, /);
  // The others take the same way out, so that none of them needs a process of its own.
  assert.throws(() => parseBenchArguments(["--smok"], []), /--smok/);
  assert.throws(
    () => parseBenchArguments(["--repetitions", "0"], []),
    /--repetitions takes a whole number, 1 … 100/,
  );
});

test("--help tells options and benches", () => {
  const { status, stdout } = bench("--help");
  assert.equal(status, 0);
  assert.match(stdout, /--smoke[\s\S]*Benches: w1, /);
});
