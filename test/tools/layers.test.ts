/**
 * dependency-cruiser refuses imports through the walls between rooms. One small tree with one
 * violation a file, and files without any as the control, is judged by the real rules in one run.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

/** What may be imported; none of these files imports anything. */
const plain = [
  "src/model/noun.ts",
  "src/platform/clock.ts",
  "src/platform/node/process-clock.ts",
  "src/codec/bytes.ts",
  "src/wire/message.ts",
  "src/ring/partition.ts",
  "src/ring/table.ts",
  "src/state/kind.ts",
  "src/transport/link.ts",
  "src/transport/node/server.ts",
  "src/replication/stream.ts",
  "src/node/driver.ts",
  "src/entry/main.ts",
  "test/support/tool.ts",
  "bench/load.ts",
];

const allowed: Readonly<Record<string, string>> = {
  "src/wire/frame.ts": 'import "../codec/bytes.ts";',
  "src/ring/candidates.ts": 'import HashRing from "hashring"; HashRing;',
  "src/routing/route.ts": 'import "../ring/partition.ts";',
  "src/client/replica/copy.ts": 'export const load = () => import("../../state/kind.ts");',
  "src/client/replica/shape.ts": 'export type * from "../../state/kind.ts";',
  "src/transport/node/link.ts": 'import "../link.ts"; import "node:http"; import "ws";',
  "src/platform/node/clock.ts": 'import "node:perf_hooks"; import "pino";',
  "src/platform/ids.ts": 'import "nanoid";',
  "src/state/text.ts": 'import "yjs";',
  "src/codec/pack.ts": 'import "msgpackr";',
  "src/node/links.ts":
    'import "../transport/node/server.ts"; import "../platform/node/process-clock.ts";',
  "src/testing/cluster.ts": 'import "../node/driver.ts"; import "../transport/link.ts";',
  "src/entry/node.ts": 'import "../node/driver.ts";',
};

/** The rest of a cycle, which is reported once, at the first of its files; of types only. */
const cycle: Readonly<Record<string, string>> = {
  "src/live/b.ts": 'import type { c } from "./c.ts"; export const b = 1;',
  "src/live/c.ts": 'import type { a } from "./a.ts"; export const c = 1;',
};

/** File, text, and the rule that must refuse it. */
const refused: readonly (readonly [file: string, text: string, rule: string])[] = [
  ["src/ring/a.ts", 'import "../transport/link.ts";', "walls of ring"],
  ["src/ring/b.ts", 'export type * from "../transport/link.ts";', "walls of ring"],
  ["src/ring/c.ts", 'export const x = import("../transport/link.ts");', "walls of ring"],
  ["src/client/a.ts", 'import "../state/kind.ts";', "walls of client"],
  ["src/client/b.ts", 'export const x = import("../state/kind.ts");', "walls of client"],
  ["src/client/c.ts", 'import "../platform/node/process-clock.ts";', "walls of client"],
  ["src/client/d.ts", 'import "../transport/node/server.ts";', "walls of client"],
  ["src/client/e.ts", 'import "../ring/table.ts";', "walls of client"],
  [
    "src/client/replica/a.ts",
    'import "../../state/kind.ts";',
    "only by import() in client/replica",
  ],
  ["src/routing/a.ts", 'import "../ring/table.ts";', "walls of routing"],
  ["src/functions/a.ts", 'import "../wire/message.ts";', "walls of functions"],
  ["src/replication/a.ts", 'import "../transport/link.ts";', "walls of replication"],
  ["src/replication/b.ts", 'import "../ring/candidates.ts";', "walls of replication"],
  ["src/model/a.ts", 'import "../codec/bytes.ts";', "walls of model"],
  ["src/platform/a.ts", 'import "./node/process-clock.ts";', "walls of platform"],
  ["src/transport/a.ts", 'import "./node/server.ts";', "walls of transport"],
  ["src/node/a.ts", 'import "../entry/main.ts";', "walls of node"],
  ["src/ring/d.ts", 'import "hashring";', "hashring only in ring/candidates"],
  ["src/wire/a.ts", 'import "msgpackr";', "msgpackr only in codec"],
  ["src/node/b.ts", 'import "ws";', "ws only in transport/node"],
  ["src/transport/b.ts", 'import "ws";', "ws only in transport/node"],
  ["src/node/c.ts", 'import "pino";', "pino only in platform/node"],
  ["src/functions/b.ts", 'import "yjs";', "yjs only in state"],
  ["src/node/d.ts", 'import "nanoid";', "nanoid only in platform"],
  ["src/node/e.ts", 'import "fast-check";', "no library without a room"],
  ["src/node/f.ts", 'import "node:http";', "http only in its room"],
  ["src/node/g.ts", 'export const x = import("node:https");', "https only in its room"],
  ["src/node/h.ts", 'import "node:perf_hooks";', "perf_hooks only in its room"],
  ["src/client/f.ts", 'import "node:fs";', "no modules of Node.js"],
  ["src/node/i.ts", 'import "../../test/support/tool.ts";', "src stands alone"],
  ["src/node/j.ts", 'import "../../bench/load.ts";', "src stands alone"],
  ["src/node/k.ts", 'import "./index.ts";', "no index files"],
  ["src/node/l.ts", 'import "./missing.ts";', "nothing unresolvable"],
  ["src/live/a.ts", 'import "./b.ts"; export const a = 1;', "no cycles"],
  ["src/node/m.ts", 'import "../attic/old.ts";', "every file in a room"],
];

const tree = mkdtempSync(path.join(tmpdir(), "latticework-layers-"));
after(() => rmSync(tree, { recursive: true, force: true }));
const broken = cruise();

function cruise(): ReadonlyMap<string, readonly string[]> {
  for (const file of [...plain, "src/attic/old.ts", "src/node/index.ts"]) {
    plant(file, "export const x = 1;");
  }
  for (const [file, text] of Object.entries({ ...allowed, ...cycle })) plant(file, text);
  for (const [file, text] of refused) plant(file, text);
  symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(tree, "node_modules"));
  const tool = path.join(
    repositoryRoot,
    "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
  );
  const config = path.join(repositoryRoot, "scripts/config/layers.cjs");
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [tool, "--config", config, "--output-type", "json", "src"],
    { cwd: tree, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
  );
  assert.notEqual(stdout, "", stderr);
  const { summary } = JSON.parse(stdout) as {
    summary: { violations: { from: string; rule: { name: string } }[] };
  };
  const byFile = new Map<string, string[]>();
  for (const { from, rule } of summary.violations) {
    byFile.set(from, [...(byFile.get(from) ?? []), rule.name]);
  }
  return byFile;
}

function plant(file: string, text: string): void {
  const full = path.join(tree, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, `${text}\n`);
}

for (const [file, text] of Object.entries(allowed)) {
  test(`lets ${file} say ${text}`, () => assert.deepEqual(broken.get(file) ?? [], []));
}

for (const [file, text, rule] of refused) {
  test(`refuses ${text} in ${file}: ${rule}`, () => {
    const rules = broken.get(file) ?? [];
    assert.ok(rules.includes(rule), `broken instead: ${rules.join(", ") || "nothing"}`);
  });
}

test("the command that npm run layers runs fails on a violation and passes without", () => {
  const manifest = JSON.parse(readFileSync(path.join(repositoryRoot, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  assert.match(manifest.scripts["layers"] ?? "", /depcruise --config scripts\/config\/layers\.cjs/);
  const tool = path.join(
    repositoryRoot,
    "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
  );
  const config = path.join(repositoryRoot, "scripts/config/layers.cjs");
  const run = (...files: string[]) =>
    spawnSync(process.execPath, [tool, "--config", config, ...files], { cwd: tree }).status;
  assert.notEqual(run("src/ring/a.ts"), 0);
  assert.equal(run("src/wire/frame.ts"), 0);
});

test("every folder of src has a row in the table, and every room a line on the map", () => {
  const { rooms } = createRequire(import.meta.url)("../../scripts/config/rooms.cjs") as {
    rooms: Readonly<Record<string, unknown>>;
  };
  const source = path.join(repositoryRoot, "src");
  const folders = readdirSync(source, { withFileTypes: true }).filter((e) => e.isDirectory());
  for (const { name } of folders) assert.ok(name in rooms, `src/${name} has no row in rooms.cjs`);
  const map = readFileSync(path.join(source, "README.md"), "utf8");
  for (const room of Object.keys(rooms)) {
    assert.ok(map.includes(`\`${room}`), `src/README.md does not mention ${room}`);
  }
});
