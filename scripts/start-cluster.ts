/**
 * `npm start`: the whole story on real data. Three node processes, 20,000 flights through them, one
 * node killed in the middle, a fresh client that compares every airport and route with a plain
 * count of the file. On a terminal the cluster then keeps running; with `CI` set it ends.
 */
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { connect } from "latticework/client";
import type { NodeStatus } from "latticework/node";
import type { Comparison } from "../examples/flights/compare.ts";
import { Board } from "../examples/flights/board.ts";
import type { Functions } from "../examples/flights/functions.ts";
import { readFlights } from "../examples/flights/records.ts";
import { Replay, type ReplayResult } from "../examples/flights/replay.ts";
import { freePorts } from "./cluster/free-ports.ts";
import { NodeProcess } from "./cluster/node-process.ts";
import { Progress } from "./cluster/progress.ts";
import { unequalPartitions } from "./cluster/unequal-partitions.ts";
import { until } from "./cluster/until.ts";
import { defaultPartitionCount, isPartitionCount } from "../src/ring/partition.ts";
import { bundle } from "./programs/bundle.ts";

const usage = `Usage: npm start [-- options]

  --control      the same without protection: answers before replication, blind retries; exits 1
  --flights N    only the first N of 20,000
  --partitions N of the key space, a power of two (default 1024)
  --record FILE  write every answered call, one line of JSON each
  --json FILE    write what was counted
  --help         this text

Exit codes: 0 exact, 1 lost or double, 2 wrong options, 3 the killed node had nothing to lose
`;

const exits = { exact: 0, inexact: 1, usage: 2, provedNothing: 3 } as const;
const nodeCount = 3;
const firstPort = 7400;
/** Calls in flight at once. */
const concurrency = 256;
/** Share of the replay after which a node is killed. */
const killAt = 0.5;
/** No node may lead less than this part of its share when the replay begins. */
const leastShare = 0.6;
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

/** What happened, as the table shows it. */
interface Story {
  readonly killed: Kill;
  readonly result: ReplayResult;
  readonly last: readonly NodeStatus[];
  readonly comparison: Comparison;
  /** Partitions of which two owners hold different copies. */
  readonly unequalCopies: number;
}

interface Options {
  readonly control: boolean;
  readonly flights: number;
  readonly partitions: number;
  readonly record?: string | undefined;
  readonly json?: string | undefined;
}

/** @throws Error that says what is wrong with the arguments */
function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      control: { type: "boolean", default: false },
      flights: { type: "string", default: "20000" },
      partitions: { type: "string", default: String(defaultPartitionCount) },
      record: { type: "string" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const flights = Number(values.flights);
  const partitions = Number(values.partitions);
  if (!Number.isSafeInteger(flights) || flights < 1) {
    throw new Error(`--flights takes a whole number from 1, not ${values.flights}`);
  }
  // Each of the nodes leads some.
  if (!isPartitionCount(partitions) || partitions < 16) {
    throw new Error(`--partitions takes a power of two from 16, not ${values.partitions}`);
  }
  return { ...values, flights, partitions };
}

async function main(): Promise<number> {
  let options: Options | "help";
  try {
    options = readOptions();
  } catch (error) {
    console.error(`✖ ${(error as Error).message}\n\n${usage}`);
    return exits.usage;
  }
  if (options === "help") {
    process.stdout.write(usage);
    return exits.exact;
  }
  return demonstrate(options);
}

async function demonstrate(options: Options): Promise<number> {
  const inCi = process.env["CI"] !== undefined && process.env["CI"] !== "";
  const nodes = await startNodes(inCi, options.partitions);
  await balanced(nodes, options.partitions);
  const story = await tell(nodes, options);
  printTable(story);
  const { killed, comparison, unequalCopies } = story;
  const exit = exitOf(story);
  console.log(`\nlost ${String(comparison.lost)}, double ${String(comparison.double)}`);
  if (exit === exits.provedNothing) {
    console.log("proved nothing: the killed node had nothing to lose");
  }
  if (options.json !== undefined) {
    const counts = { ...countsOf(story), unequalCopies, exit };
    await writeFile(options.json, `${JSON.stringify(counts, null, 2)}\n`);
  }
  const alive = nodes.filter((node) => node.pid !== killed.pid);
  if (!inCi && exit === exits.exact && process.stdout.isTTY) await keepRunning(alive);
  await Promise.all(alive.map((node) => node.leave()));
  return exit;
}

function exitOf({ killed, comparison, unequalCopies }: Story): number {
  if (killed.callsInFlight === 0 || killed.partitionsLed === 0) return exits.provedNothing;
  const { lost, double, different } = comparison;
  return lost + double + different.length + unequalCopies === 0 ? exits.exact : exits.inexact;
}

/** The replay, the kill in the middle of it, and the comparison at its end. */
async function tell(nodes: readonly NodeProcess[], options: Options): Promise<Story> {
  const flights = (await readFlights()).slice(0, options.flights);
  const addresses = nodes.map((node) => node.address);
  const client = await connect<Functions>({ nodes: addresses, protection: !options.control });
  const board = new Board(client);
  const record = options.record === undefined ? undefined : createWriteStream(options.record);

  console.log(
    `\nReplaying ${String(flights.length)} flights, ${String(concurrency)} calls at once`,
  );
  const progress = new Progress("flights", flights.length);
  let kill: Promise<Kill> | undefined;
  const replay = new Replay(client, flights, {
    concurrency,
    careless: options.control,
    progress: (answered) => {
      if (answered >= flights.length * killAt) kill ??= killOne(nodes, replay);
      progress.update(answered, board.line());
    },
    record: (call) => void record?.write(`${JSON.stringify(call)}\n`),
  });
  const result = await replay.run();
  progress.end();
  const killed = await kill;
  if (killed === undefined) throw new Error("no node was killed");
  const alive = nodes.filter((node) => node.pid !== killed.pid);
  const last = await outboxesEmpty(alive);
  board.close();
  await client.close();
  if (record !== undefined) await new Promise<void>((resolve) => record.end(resolve));

  console.log("Comparing every airport and route in a fresh client process");
  const comparison = await verifyInOtherProcess([
    ...["--flights", String(options.flights)],
    ...(options.record === undefined ? [] : ["--record", options.record]),
    ...alive.map((node) => node.address),
  ]);
  return { killed, result, last, comparison, unequalCopies: await copiesAtRest(alive) };
}

async function startNodes(anyPort: boolean, partitions: number): Promise<NodeProcess[]> {
  console.log(`Starting ${String(nodeCount)} nodes`);
  const ports = await freePorts(nodeCount, anyPort ? 0 : firstPort);
  const nodes: NodeProcess[] = [];
  for (const port of ports) {
    const first = nodes[0];
    const join = first === undefined ? [] : ["--join", first.address];
    const node = await NodeProcess.start([
      ...["--port", String(port), "--functions", functionsFile, "--cluster", "flights"],
      ...["--partitions", String(partitions), ...join],
    ]);
    console.log(`  ● ${node.address}  pid ${String(node.pid)}`);
    nodes.push(node);
  }
  return nodes;
}

/** Every partition has all its copies, and every node leads some. */
async function balanced(nodes: readonly NodeProcess[], partitions: number): Promise<void> {
  process.stdout.write(`Spreading ${String(partitions)} partitions … `);
  const startedAt = performance.now();
  const least = (leastShare * partitions) / nodes.length;
  const isBalanced = async (): Promise<boolean> => {
    const all = await Promise.all(nodes.map((node) => node.status()));
    const led = all.reduce((sum, status) => sum + status.primaries.length, 0);
    return (
      led === partitions &&
      all.every(({ underReplicated, primaries }) => {
        return underReplicated.length === 0 && primaries.length > least;
      })
    );
  };
  await until("all partitions have three copies", settleTimeoutMs, isBalanced);
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
}

async function killOne(nodes: readonly NodeProcess[], replay: Replay): Promise<Kill> {
  const victim = nodes[nodes.length - 1]!;
  const status = await victim.status();
  const kill = {
    pid: victim.pid,
    node: victim.id,
    callsInFlight: replay.inFlight,
    partitionsLed: status.primaries.length,
    atCall: replay.answered,
  };
  victim.signal("SIGKILL");
  replay.nodeLost(victim.id);
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

/** Owners that are left hold the same; a moment is theirs to catch up. Returns how many do not. */
async function copiesAtRest(nodes: readonly NodeProcess[]): Promise<number> {
  let unequal: readonly number[] = [];
  await until("all owners hold the same", settleTimeoutMs, async () => {
    unequal = await unequalPartitions(nodes);
    return unequal.length === 0;
  }).catch((error: unknown) => {
    console.log(String(error));
  });
  return unequal.length;
}

async function verifyInOtherProcess(words: readonly string[]): Promise<Comparison> {
  const [script = ""] = await bundle([verifyFile]);
  const args = ["--enable-source-maps", script, ...words];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Comparison;
}

/** Everything that was counted, by name, in the order of the table. */
function countsOf({ killed, result, last, comparison }: Story) {
  const sum = (of: (status: NodeStatus) => number): number =>
    last.reduce((total, status) => total + of(status), 0);
  return {
    killedPid: killed.pid,
    callsInFlight: killed.callsInFlight,
    partitionsLed: killed.partitionsLed,
    answered: result.answered,
    recorded: comparison.recorded ?? null,
    retried: sum((status) => status.counters.retried) + result.resent,
    dedupeHits: sum((status) => status.counters.dedupeHits),
    outboxRedelivered: sum((status) => status.counters.outboxRedelivered),
    takeovers: sum((status) => status.counters.takeovers),
    degraded: result.degraded,
    ...comparison.flights,
    compared: comparison.airports + comparison.routes,
    different: comparison.different.length,
    lost: comparison.lost,
    double: comparison.double,
  };
}

function printTable(story: Story): void {
  const { killed, result, comparison, unequalCopies } = story;
  const counts = countsOf(story);
  const percent = Math.round((killed.atCall / result.answered) * 100);
  const rows: readonly (readonly [string, string | number])[] = [
    ["SIGKILL of", `${killed.node} (pid ${String(killed.pid)}) at ${String(percent)} %`],
    ["calls in flight at the kill", counts.callsInFlight],
    ["partitions it led", counts.partitionsLed],
    ["calls answered", counts.answered],
    ["retried calls that arrived", counts.retried],
    ["answers from the dedupe table", counts.dedupeHits],
    ["outbox redeliveries", counts.outboxRedelivered],
    ["takeovers", counts.takeovers],
    ["degraded answers", counts.degraded],
    ["departures counted", comparison.flights.departures],
    ["arrivals counted", comparison.flights.arrivals],
    ["flights counted by routes", comparison.flights.routes],
    ["airports and routes compared", counts.compared],
    ["that differ in anything", counts.different],
    ["partitions with unequal copies", unequalCopies],
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
