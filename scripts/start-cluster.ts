/**
 * `npm start`: the whole story on real data. Three node processes, 20,000 flights through them, one
 * node killed in the middle, a fresh client that compares every airport and route with a plain
 * count of the file. On a terminal the cluster then keeps running; with `CI` set it ends.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { connect } from "latticework/client";
import type { NodeStatus } from "latticework/node";
import type { Comparison } from "../examples/flights/compare.ts";
import { Board } from "../examples/flights/board.ts";
import type { Functions } from "../examples/flights/functions.ts";
import { readFlights } from "../examples/flights/records.ts";
import { Replay } from "../examples/flights/replay.ts";
import { freePorts } from "./cluster/free-ports.ts";
import { NodeProcess } from "./cluster/node-process.ts";
import { Progress } from "./cluster/progress.ts";
import { until } from "./cluster/until.ts";

const usage = `Usage: npm start [-- options]

  --control   the same without protection: answers before replication, blind retries; exits 1
  --help      this text
`;

const nodeCount = 3;
const firstPort = 7400;
/** Calls in flight at once. */
const concurrency = 256;
/** Share of the replay after which a node is killed. */
const killAt = 0.5;
const settleTimeoutMs = 60_000;
const functionsFile = fileURLToPath(new URL("../examples/flights/functions.ts", import.meta.url));
const verifyFile = fileURLToPath(new URL("../examples/flights/verify.ts", import.meta.url));

interface Kill {
  readonly pid: number;
  readonly node: string;
  readonly callsInFlight: number;
  readonly partitionsLed: number;
  readonly atCall: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      control: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const isControl = values.control;
  const inCi = process.env["CI"] !== undefined && process.env["CI"] !== "";
  const flights = await readFlights();
  const nodes = await startNodes(inCi);
  await balanced(nodes);
  const addresses = nodes.map((node) => node.address);
  const client = await connect<Functions>({ nodes: addresses, protection: !isControl });
  const board = new Board(client);

  console.log(
    `\nReplaying ${String(flights.length)} flights, ${String(concurrency)} calls at once`,
  );
  const progress = new Progress("flights", flights.length);
  let kill: Promise<Kill> | undefined;
  const replay = new Replay(client, flights, {
    concurrency,
    careless: isControl,
    progress: (answered) => {
      if (answered >= flights.length * killAt) kill ??= killOne(nodes, replay);
      progress.update(answered, board.line());
    },
  });
  const result = await replay.run();
  progress.end();
  const killed = await kill;
  if (killed === undefined) throw new Error("no node was killed");
  const alive = nodes.filter((node) => node.pid !== killed.pid);
  const last = await outboxesEmpty(alive);
  board.close();
  await client.close();

  console.log("Comparing every airport and route in a fresh client process");
  const comparison = await verifyInOtherProcess(alive.map((node) => node.address));
  printTable({ killed, result, last, comparison });
  const isExact = comparison.lost + comparison.double + comparison.different.length === 0;
  console.log(`\nlost ${String(comparison.lost)}, double ${String(comparison.double)}`);
  if (killed.callsInFlight === 0 || killed.partitionsLed === 0) {
    console.log("proved nothing: the killed node had nothing to lose");
    await Promise.all(alive.map((node) => node.kill()));
    return 3;
  }
  if (!inCi && isExact && process.stdout.isTTY) await keepRunning(alive);
  await Promise.all(alive.map((node) => node.leave()));
  return isExact ? 0 : 1;
}

async function startNodes(anyPort: boolean): Promise<NodeProcess[]> {
  console.log(`Starting ${String(nodeCount)} nodes`);
  const ports = await freePorts(nodeCount, anyPort ? 0 : firstPort);
  const nodes: NodeProcess[] = [];
  for (const port of ports) {
    const first = nodes[0];
    const join = first === undefined ? [] : ["--join", first.address];
    const args = ["--port", String(port), "--functions", functionsFile, "--cluster", "flights"];
    const node = await NodeProcess.start([...args, ...join]);
    console.log(`  ● ${node.address}  pid ${String(node.pid)}`);
    nodes.push(node);
  }
  return nodes;
}

/** Every partition has all its copies, and every node leads some. */
async function balanced(nodes: readonly NodeProcess[]): Promise<void> {
  process.stdout.write("Spreading 1024 partitions … ");
  const startedAt = performance.now();
  const isBalanced = async (): Promise<boolean> => {
    const all = await Promise.all(nodes.map((node) => node.status()));
    const led = all.reduce((sum, status) => sum + status.primaries.length, 0);
    return (
      led === 1024 &&
      all.every((status) => status.underReplicated.length === 0 && status.primaries.length > 200)
    );
  };
  await until("all partitions have three copies", settleTimeoutMs, isBalanced);
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
}

async function killOne(nodes: readonly NodeProcess[], replay: Replay): Promise<Kill> {
  const victim = nodes[nodes.length - 1] as NodeProcess;
  const status = await victim.status();
  const kill = {
    pid: victim.pid,
    node: victim.id,
    callsInFlight: replay.inFlight,
    partitionsLed: status.primaries.length,
    atCall: replay.answered,
  };
  victim.signal("SIGKILL");
  return kill;
}

async function outboxesEmpty(nodes: readonly NodeProcess[]): Promise<readonly NodeStatus[]> {
  let last: readonly NodeStatus[] = [];
  await until("every outbox is empty", settleTimeoutMs, async () => {
    last = await Promise.all(nodes.map((node) => node.status()));
    return last.every((status) => status.outboxDepth === 0);
  });
  return last;
}

async function verifyInOtherProcess(addresses: readonly string[]): Promise<Comparison> {
  const args = ["--import", "tsx", verifyFile, ...addresses];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Comparison;
}

function printTable(run: {
  readonly killed: Kill;
  readonly result: {
    readonly answered: number;
    readonly resent: number;
    readonly degraded: number;
  };
  readonly last: readonly NodeStatus[];
  readonly comparison: Comparison;
}): void {
  const { killed, result, last, comparison } = run;
  const sum = (of: (status: NodeStatus) => number): number =>
    last.reduce((total, status) => total + of(status), 0);
  const percent = Math.round((killed.atCall / result.answered) * 100);
  const rows: readonly (readonly [string, string | number])[] = [
    ["SIGKILL of", `${killed.node} (pid ${String(killed.pid)}) at ${String(percent)} %`],
    ["calls in flight at the kill", killed.callsInFlight],
    ["partitions it led", killed.partitionsLed],
    ["calls answered", result.answered],
    ["retried calls that arrived", sum((status) => status.counters.retried) + result.resent],
    ["answers from the dedupe table", sum((status) => status.counters.dedupeHits)],
    ["outbox redeliveries", sum((status) => status.counters.outboxRedelivered)],
    ["takeovers", sum((status) => status.counters.takeovers)],
    ["degraded answers", result.degraded],
    ["departures counted", comparison.flights.departures],
    ["arrivals counted", comparison.flights.arrivals],
    ["flights counted by routes", comparison.flights.routes],
    ["airports and routes compared", comparison.airports + comparison.routes],
    ["that differ in anything", comparison.different.length],
  ];
  console.log("");
  for (const [name, value] of rows) console.log(`  ${name.padEnd(32)} ${String(value)}`);
}

async function keepRunning(nodes: readonly NodeProcess[]): Promise<void> {
  const [first] = nodes;
  console.log(
    `\nThe cluster goes on: ${nodes.map((node) => node.address).join("  ")}\n` +
      `  Next: npm run node -- --port 0 --cluster flights --functions examples/flights/functions.ts` +
      ` --join ${first?.address ?? ""}\n  Ctrl-C ends it.`,
  );
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => {
        resolve();
      });
  });
}

process.exitCode = await main();
