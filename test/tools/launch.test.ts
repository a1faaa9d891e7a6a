/** The launchers behind `npm start` and `npm test`: what they refuse, install, build and lock. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

interface Staleness {
  needsInstall(this: void, root: string): boolean;
  needsBuild(this: void, root: string): boolean;
}

interface NodeVersion {
  nodeVersionProblem(this: void, version: string): string | undefined;
}

/** The launchers are plain JavaScript, so their types are told here. */
async function load(name: string): Promise<unknown> {
  return import(pathToFileURL(path.join(repositoryRoot, "scripts/launch", name)).href);
}
const { needsInstall, needsBuild } = (await load("staleness.mjs")) as Staleness;
const { nodeVersionProblem } = (await load("node-version.mjs")) as NodeVersion;

const folder = mkdtempSync(path.join(tmpdir(), "latticework-launch-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function write(root: string, file: string, text: string, at: number): void {
  const full = path.join(root, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, text);
  utimesSync(full, at, at);
}

function lockfile(version: string): string {
  return JSON.stringify({ packages: { "": {}, "node_modules/ws": { version } } });
}

test("a Node older than package.json allows is told in one line what to do, a newer one nothing", () => {
  const manifest = JSON.parse(readFileSync(path.join(repositoryRoot, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const oldestNode = manifest.engines.node.replace(">=", "");
  for (const version of ["0.12.18", "12.22.12", "18.20.4", "20.9.0", "20.18.3"]) {
    const problem = nodeVersionProblem(version) ?? "";
    assert.match(
      problem,
      new RegExp(`needs Node.js ${oldestNode}.0 or newer and this is ${version}`),
    );
    assert.doesNotMatch(problem, /\n/);
  }
  for (const version of ["20.19.0", "20.20.2", "22.0.0", "24.1.0", "100.0.0"]) {
    assert.equal(nodeVersionProblem(version), undefined);
  }
});

for (const script of ["start.mjs", "test.mjs"]) {
  test(`scripts/${script} ends with 1 and that one line on an old Node`, () => {
    const disguise =
      "data:text/javascript,Object.defineProperty(process, 'versions', " +
      "{ value: { ...process.versions, node: '18.20.4' } })";
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ["--import", disguise, path.join(repositoryRoot, "scripts", script)],
      { encoding: "utf8" },
    );
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.equal(stderr, `${String(nodeVersionProblem("18.20.4"))}\n`);
  });
}

test("installs when nothing is installed or the lockfile names something else", () => {
  const root = path.join(folder, "install");
  write(root, "package-lock.json", lockfile("8.1.0"), 1000);
  assert.equal(needsInstall(root), true);
  write(root, "node_modules/.package-lock.json", lockfile("8.1.0"), 2000);
  assert.equal(needsInstall(root), false);
  write(root, "package-lock.json", lockfile("8.1.0"), 3000);
  assert.equal(needsInstall(root), false, "the same packages with a newer time");
  write(root, "package-lock.json", lockfile("8.2.0"), 3000);
  assert.equal(needsInstall(root), true);
});

test("builds when there is no build or a source, or a folder of sources, is newer", () => {
  const root = path.join(folder, "build");
  write(root, "tsconfig.json", "{}", 1000);
  write(root, "src/model/ids.ts", "", 1000);
  for (const each of ["src/model", "src"]) utimesSync(path.join(root, each), 1000, 1000);
  assert.equal(needsBuild(root), true);
  write(root, "dist/entry/main.js", "", 2000);
  assert.equal(needsBuild(root), true, "a build that nobody finished");
  write(root, ".cache/built", "", 2000);
  assert.equal(needsBuild(root), false);
  utimesSync(path.join(root, "src/model/ids.ts"), 3000, 3000);
  assert.equal(needsBuild(root), true);
  write(root, ".cache/built", "", 4000);
  assert.equal(needsBuild(root), false);
  utimesSync(path.join(root, "src/model"), 5000, 5000);
  assert.equal(needsBuild(root), true, "a file has gone");
});

test("runs that start together hold the lock one after the other", async () => {
  const lock = path.join(folder, "lock/prepare.lock");
  const log = path.join(folder, "log");
  mkdirSync(path.dirname(lock));
  const { pid } = spawnSync(process.execPath, ["--version"]);
  writeFileSync(lock, String(pid), { flag: "wx" }); // left behind by a run that died
  const program = `
    import { appendFileSync } from "node:fs";
    import { withLock } from ${JSON.stringify(pathToFileURL(path.join(repositoryRoot, "scripts/launch/lock.mjs")).href)};
    await withLock(${JSON.stringify(lock)}, () => {}, async () => {
      appendFileSync(${JSON.stringify(log)}, "in\\n");
      await new Promise((resolve) => setTimeout(resolve, 50));
      appendFileSync(${JSON.stringify(log)}, "out\\n");
    });
  `;
  const codes = await Promise.all(Array.from({ length: 4 }, () => runProgram(program)));
  assert.deepEqual(codes, [0, 0, 0, 0]);
  assert.equal(readFileSync(log, "utf8"), "in\nout\n".repeat(4));
});

function runProgram(text: string): Promise<number | null> {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", text], {
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", resolve);
  });
}
