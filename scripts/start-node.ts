/**
 * `npm run node`: one node as a process of its own. Ctrl-C leaves in order, a second one at once.
 * A parent that started it with an IPC channel may ask for its status, as `scripts/cluster` does.
 */
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { LatticeError, type Functions } from "latticework";
import type { LogLevel, NodeOptions } from "latticework/node";
import type { LatticeNode } from "../src/node/lattice-node.ts";
import { copyReport, partitionReports } from "./cluster/copy-report.ts";
import { KeptEvents } from "./cluster/kept-events.ts";
import { launchInspectable } from "./cluster/launch-inspectable.ts";
import { LoadMeter } from "./cluster/load-report.ts";
import { stepWallClock } from "./cluster/stepped-clock.ts";
import { memberReports } from "./cluster/member-report.ts";
import type { NodeAnswers, NodeReport, NodeRequest } from "./cluster/node-messages.ts";
import { nodeVersionProblem } from "./launch/node-version.mjs";

const usage = `Usage: npm run node -- [options]

  --port N          port to listen on; 0 picks a free one (default 7400)
  --host ADDRESS    loopback address to listen on (default 127.0.0.1)
  --join ADDRESS    a node to join through, ws://host:port; may be given again
  --functions FILE  module that exports \`functions\` (default examples/cart/functions.ts)
  --id NAME         node id (default host:port)
  --cluster NAME    cluster name (default "default")
  --min-nodes N     be ready only when so many nodes are alive (default 1)
  --zone NAME       where this node is; replicas are spread over zones
  --weight W        share of the load, 0.1 to 10 (default 1)
  --advertise ADDR  where others reach this node, ws://host:port (default as bound)
  --dial FROM=TO    connect to TO where FROM is dialled, as through a proxy; may be given again
  --replicas N      copies of every partition, the same on all nodes (default 3)
  --partitions N    of the key space: a power of two, the same on all nodes (default 1024)
  --no-rest         take partitions at once, however often it was killed lately: for proofs that kill
  --expose-errors   tell callers what a handler threw; else only the log has it
  --log LEVEL       debug, info, warn, error or silent (default warn)
  --help            this text

Next: npm run node -- --port 7401 --join ws://127.0.0.1:7400
`;

const flags = {
  port: { type: "string", default: "7400" },
  host: { type: "string", default: "127.0.0.1" },
  join: { type: "string", multiple: true, default: [] as string[] },
  functions: { type: "string", default: "examples/cart/functions.ts" },
  id: { type: "string" },
  cluster: { type: "string" },
  "min-nodes": { type: "string" },
  zone: { type: "string" },
  weight: { type: "string" },
  replicas: { type: "string" },
  partitions: { type: "string" },
  advertise: { type: "string" },
  dial: { type: "string", multiple: true, default: [] as string[] },
  "no-rest": { type: "boolean", default: false },
  "expose-errors": { type: "boolean", default: false },
  log: { type: "string", default: "warn" },
  help: { type: "boolean", default: false },
} as const;

const exitUsage = 2;

async function main(): Promise<void> {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== undefined) fail(problem, 1);
  const values = readArguments();
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  outliveHandlers();
  const functions = await loadFunctions(values.functions);
  const options: NodeOptions = {
    functions,
    listen: { host: values.host, port: Number(values.port) },
    join: values.join,
    exposeErrors: values["expose-errors"],
    logger: values.log as LogLevel,
    ...given("nodeId", values.id),
    ...given("cluster", values.cluster),
    ...given("minNodes", numberOf(values["min-nodes"])),
    ...given("zone", values.zone),
    ...given("weight", numberOf(values.weight)),
    ...given("replicas", numberOf(values.replicas)),
    ...given("advertise", values.advertise),
  };
  const node = await launchInspectable(options, {
    ways: waysOf(values.dial),
    rests: !values["no-rest"],
    ...given("partitionCount", numberOf(values.partitions)),
  });
  announce(node);
  leaveOnSignals(node);
  answerParent(node, functions);
  await node.stopped;
  if (process.connected) process.disconnect();
}

/**
 * What a handler leaks must not end the node that runs everybody else's handlers: a rejected promise
 * that nobody waits for, or a use of its context after its turn, which throws into its own timer.
 * Any other exception may have left something half done: that ends the process, as it does by
 * default.
 */
function outliveHandlers(): void {
  process.on("unhandledRejection", (reason) => {
    console.error("a handler left a rejected promise behind:", reason);
  });
  process.on("uncaughtException", (error) => {
    if (error instanceof LatticeError && error.code === "cancelled") {
      console.error("a handler went on after its turn:", error);
      return;
    }
    console.error(error);
    process.exit(1);
  });
}

function readArguments() {
  try {
    return parseArgs({ options: flags, allowPositionals: false }).values;
  } catch (error) {
    return fail(`✖ ${(error as Error).message}\n\n${usage}`, exitUsage);
  }
}

async function loadFunctions(file: string): Promise<Functions> {
  const full = path.resolve(file);
  if (!existsSync(full)) fail(`✖ --functions: there is no file ${full}`, exitUsage);
  const module = (await import(pathToFileURL(full).href).catch((error: unknown) => {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return fail(`✖ --functions: ${file} cannot be loaded: ${why}`, exitUsage);
  })) as { readonly functions?: unknown };
  if (module.functions === undefined)
    fail(`✖ --functions: ${file} has no export named functions`, exitUsage);
  return module.functions as Functions;
}

/** `ws://…=ws://…`, each from the address dialled to the one connected to. */
function waysOf(pairs: readonly string[]): Map<string, string> {
  const ways = new Map<string, string>();
  for (const pair of pairs) {
    const [from, to] = pair.split("=");
    if (!from || !to) fail(`✖ --dial ${pair}: write FROM=TO, both as ws://host:port`, exitUsage);
    ways.set(from, to);
  }
  return ways;
}

function announce(node: LatticeNode): void {
  const { members, cluster, address } = node.status();
  const alive = members.filter((member) => member.status === "alive").length;
  console.log(
    `● latticework  cluster "${cluster}"  ${address}  nodes alive: ${String(alive)}\n` +
      `  loopback only, no secret needed; Ctrl-C leaves\n` +
      `  Next: npm run node -- --port 0 --join ${address}`,
  );
}

function leaveOnSignals(node: LatticeNode): void {
  let signals = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(1);
      console.log(`${signal}: handing over; once more to go at once`);
      void node.leave();
    });
  }
}

/** A parent process asks by IPC what anybody else would ask an operator's endpoint. */
function answerParent(node: LatticeNode, functions: Functions): void {
  const report = (message: NodeReport): void => void process.send?.(message);
  const events = new KeptEvents(node);
  const load = new LoadMeter();
  let isOver = false;
  void node.stopped.then(() => (isOver = true));
  const answer = (request: NodeRequest): NodeAnswers[NodeRequest["type"]] => {
    switch (request.type) {
      case "status":
        return node.status();
      case "members":
        return memberReports(node);
      case "partitions":
        return partitionReports(node);
      case "copies":
        return request.of.map((wanted) => copyReport(node, functions[wanted.functionName], wanted));
      case "step-clock":
        stepWallClock(request.byMs);
        return undefined;
      case "load":
        return load.take();
      case "events":
        return events.take(request.of);
    }
  };
  process.on("message", (request: NodeRequest) => {
    report({ type: "answer", request: request.request, answer: answer(request) });
  });
  // Nobody is left who could end it.
  process.once("disconnect", () => {
    if (!isOver) process.exit(1);
  });
  const { id, address } = node.identity;
  report({ type: "ready", id, address });
}

function given<K extends string, V>(name: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [name]: value } as Record<K, V>);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function fail(message: string, code: number): never {
  console.error(message);
  process.exit(code);
}

main().catch((error: unknown) => {
  if (error instanceof LatticeError) fail(`✖ ${error.code}  ${error.message}`, 1);
  console.error(error);
  process.exit(1);
});
