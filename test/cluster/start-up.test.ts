/** Nodes that cannot start as they are told: one line that says what to do, and exit code 1. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { pickPorts } from "../support/pick-ports.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const running: NodeProcess[] = [];
after(() => Promise.all(running.map((node) => node.kill())));

async function start(...args: string[]): Promise<NodeProcess> {
  const node = await NodeProcess.start(args);
  running.push(node);
  return node;
}

interface Ended {
  readonly code: number | null;
  /** On standard error, without empty ones. */
  readonly lines: readonly string[];
}

const [nodeScript = "", functionsFile = "", clusterScript = ""] = await bundle([
  "scripts/start-node.ts",
  "examples/cart/functions.ts",
  "scripts/start-cluster.ts",
]);

/** Runs the program of `npm run node` with these options to its end, 20 s at most. */
function run(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Ended> {
  return runScript([...nodeArgs, nodeScript, "--functions", functionsFile, ...args]);
}

function runScript(words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, words, {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.setEncoding("utf8").on("data", (part: string) => (text += part));
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, lines: text.split("\n").filter((line) => line !== "") });
    });
  });
}

/** What the program itself said; the logger writes lines of JSON. */
function said({ lines }: Ended): string {
  const own = lines.filter((line) => !line.startsWith("{"));
  assert.equal(own.length, 1, `one line is wanted:\n${lines.join("\n")}`);
  return own[0]!;
}

test("a port in use", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const ended = await run(["--port", String(port)]);
  server.close();
  assert.equal(ended.code, 1);
  assert.match(said(ended), new RegExp(`failed_precondition.*${String(port)}`));
});

test("an address that is not loopback", async () => {
  const ended = await run(["--port", "0", "--host", "0.0.0.0"]);
  assert.equal(ended.code, 1);
  assert.match(said(ended), /permission_denied.*0\.0\.0\.0/);
});

test("a join address that is no address, and an option that does not exist", async () => {
  const ended = await run(["--port", "0", "--join", "localhost"]);
  assert.equal(ended.code, 1);
  assert.match(said(ended), /invalid_argument.*localhost.*ws:\/\//);
  assert.equal((await run(["--prot", "7400"])).code, 2);
});

const unusable: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a port that is no number", ["--port", "x"], /invalid_argument.*listen\.port.*0 to 65535/],
  ["an unknown level of the log", ["--log", "loud"], /invalid_argument.*debug, info.*got loud/],
  ["partitions that are no power of two", ["--partitions", "1000"], /invalid_argument.*two.*1000/],
  ["a weight that is none", ["--weight", "heavy"], /invalid_argument.*0\.1 to 10/],
];
for (const [what, args, message] of unusable) {
  test(what, async () => {
    const ended = await run(["--port", "0", ...args]);
    assert.equal(ended.code, 1);
    assert.match(said(ended), message);
  });
}

test("functions that cannot be loaded: which file, and why", async () => {
  const missing = await run(["--functions", "nowhere.ts"]);
  assert.equal(missing.code, 2);
  assert.match(said(missing), /--functions: there is no file .*nowhere\.ts/);
  const others = await run(["--functions", "scripts/launch/run.mjs"]);
  assert.equal(others.code, 2);
  assert.match(said(others), /run\.mjs has no export named functions/);
  const broken = await run(["--functions", "README.md"]);
  assert.equal(broken.code, 2);
  assert.match(broken.lines[0] ?? "", /--functions: README\.md cannot be loaded: .+/);
});

test("npm start with options that it does not have, before anything is started", async () => {
  for (const [args, message] of [
    [["--flihgts", "3"], /^✖ Unknown option '--flihgts'/],
    [["--flights", "many"], /^✖ --flights takes a whole number from 1, not many/],
    [["--partitions", "100"], /^✖ --partitions takes a power of two from 16, not 100/],
  ] as const) {
    const ended = await runScript([clusterScript, ...args]);
    assert.equal(ended.code, 2);
    assert.match(ended.lines[0] ?? "", message);
    assert.match(ended.lines.join("\n"), /Usage: npm start/);
  }
});

test("a node that does not fit to the one that it joins through", async () => {
  const first = await start("--port", "0", "--cluster", "one", "--id", "alpha");
  const join = ["--port", "0", "--join", first.address];
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [["--cluster", "two"], /incompatible.*one.*two|incompatible.*two.*one/],
    [["--cluster", "one", "--id", "alpha"], /failed_precondition.*alpha.*--id/],
    [["--cluster", "one", "--replicas", "2"], /incompatible.*replicas/],
  ];
  for (const [args, message] of refusals) {
    const ended = await run([...join, ...args]);
    assert.equal(ended.code, 1);
    assert.match(said(ended), message);
    const { members, ready } = await first.status();
    assert.deepEqual([members.length, ready], [1, true]);
  }
});

test("an old Node", async () => {
  const preload = `Object.defineProperty(process.versions, "node", { value: "18.20.4" })`;
  const ended = await run([], ["--import", `data:text/javascript,${encodeURIComponent(preload)}`]);
  assert.equal(ended.code, 1);
  assert.match(said(ended), /needs Node\.js 20\.19\.0 or newer and this is 18\.20\.4/);
});

test("a dead join address: the node serves alone, says so, and joins who comes there", async () => {
  const [port = 0] = await pickPorts(1);
  const address = `ws://127.0.0.1:${String(port)}`;
  const node = await start("--port", "0", "--join", address);
  assert.equal((await node.status()).ready, true);
  assert.match(node.output, new RegExp(`none of ${address} answered.*--join`));
  const late = await start("--port", String(port));
  await until("both have met", 20_000, async () => {
    const all = await Promise.all([node.status(), late.status()]);
    return all.every(({ members }) => members.filter(({ linked }) => linked).length === 2);
  });
});

test("its own address among the join addresses, in two ways: it is left out", async () => {
  const [port = 0] = await pickPorts(1);
  const own = ["127.0.0.1", "localhost"].map((host) => `ws://${host}:${String(port)}`);
  const node = await start(
    "--port",
    String(port),
    ...own.flatMap((address) => ["--join", address]),
  );
  const { ready, members } = await node.status();
  assert.deepEqual([ready, members.length], [true, 1]);
  assert.doesNotMatch(node.output, /answered in/, "it waited for others");
});
