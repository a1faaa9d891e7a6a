/**
 * What `startNode` takes, checked once. Options that the design names and this version does not
 * have are refused like any other unknown name: an option that is silently ignored is a promise
 * broken in silence.
 */
import { checkKnownNames } from "../definition/known-names.ts";
import { isFunctionDefinition, type Functions } from "../definition/function-definition.ts";
import type { Buggify } from "./buggify.ts";
import type { MembershipSettings } from "../membership/settings.ts";
import type { Acks } from "../model/acks.ts";
import { LatticeError } from "../model/error.ts";
import { checkClusterName, checkFunctionName, checkNodeId } from "../model/names.ts";
import type { Logger, LogLevel } from "../platform/platform.ts";
import { hostDefault } from "../transport/binding.ts";
import { defaultPartitionCount } from "../ring/partition.ts";

export interface NodeOptions<F extends Functions = Functions> {
  /** The functions this node runs, by name. All nodes of a cluster are to have the same. */
  readonly functions: F;
  /** Nodes of one name merge, of two names never meet. @default "default" */
  readonly cluster?: string;
  /** @default the advertised `host:port` */
  readonly nodeId?: string;
  readonly listen?: {
    /** Only loopback addresses in this version. @default "127.0.0.1" */
    readonly host?: string;
    /** 0 picks a free port. @default 7400 */
    readonly port?: number;
  };
  /** Where others can dial this node: `ws://host:port`. @default as bound */
  readonly advertise?: string;
  /** Join addresses, `ws://host:port`; tried again and for ever. @default none: creates a cluster */
  readonly join?: readonly string[];
  /** Ready only when so many nodes are alive; also how many must meet before a cluster is born. @default 1 */
  readonly minNodes?: number;
  /** Replicas of a partition are spread over zones. @default "" */
  readonly zone?: string;
  /** Share of the load: a multiple of 0.1, 0.1 … 10. @default 1 */
  readonly weight?: number;
  /** Copies of every partition, 1 … 7; must be the same on all nodes. @default 3 */
  readonly replicas?: number;
  /** For functions that do not say. @default a majority of the owners */
  readonly acks?: Acks;
  /**
   * Tell callers what a handler of this node threw: the message, never the stack. Messages may quote
   * state, files and addresses, and callers are not trusted; the log has it either way.
   * @default false: callers learn that it failed (`handler_error`), and the log says why
   */
  readonly exposeErrors?: boolean;
  /** A level for the built-in logger (JSON lines on standard error), or your own. @default "info" */
  readonly logger?: Logger | LogLevel | "silent";
}

/** The options with every default filled in but the ones that depend on the bound port. */
export interface NodeSettings {
  readonly functions: Functions;
  readonly cluster: string;
  readonly nodeId: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly advertise: string | undefined;
  readonly join: readonly string[];
  readonly minNodes: number;
  readonly zone: string;
  readonly weight: number;
  readonly replicas: number;
  readonly acks: Acks | undefined;
  readonly exposeErrors: boolean;
  /** A power of two, fixed for the cluster's life. */
  readonly partitionCount: number;
  /** How long a node with join addresses looks for others before it creates a cluster. */
  readonly joinWaitMs: number;
  /** How long `leave` may take before the node goes anyway. */
  readonly leaveBudgetMs: number;
  readonly membership: Partial<MembershipSettings> | undefined;
  /** Only of simulations. */
  readonly buggify: Buggify | undefined;
}

const portDefault = 7400;
const defaultJoinWaitMs = 3_000;
const defaultLeaveBudgetMs = 30_000;
const replicasMax = 7;

const optionNames = [
  "functions",
  "cluster",
  "nodeId",
  "listen",
  "advertise",
  "join",
  "minNodes",
  "zone",
  "weight",
  "replicas",
  "acks",
  "exposeErrors",
  "logger",
];

/** @throws LatticeError `invalid_argument` naming the option and what it takes. */
export function checkNodeOptions(options: NodeOptions): NodeSettings {
  if (!isRecord(options)) throw invalid("takes an object: startNode({ functions })");
  checkKnownNames("startNode", "option", Object.keys(options), optionNames);
  const { functions, cluster = "default" } = options;
  checkFunctions(functions);
  checkClusterName(cluster);
  checkLogger(options.logger ?? "info");
  return {
    functions,
    cluster,
    ...checkWhere(options),
    minNodes: integer("minNodes", options.minNodes ?? 1, 1, 10_000),
    zone: checkZone(options.zone ?? ""),
    weight: checkWeight(options.weight ?? 1),
    replicas: integer("replicas", options.replicas ?? 3, 1, replicasMax),
    acks: options.acks === undefined ? undefined : checkAcksOption(options.acks),
    exposeErrors: boolean("exposeErrors", options.exposeErrors ?? false),
    partitionCount: defaultPartitionCount,
    joinWaitMs: defaultJoinWaitMs,
    leaveBudgetMs: defaultLeaveBudgetMs,
    membership: undefined,
    buggify: undefined,
  };
}

type Where = Pick<NodeSettings, "nodeId" | "host" | "port" | "advertise" | "join">;

/** Who the node is, where it listens and where it finds others. */
function checkWhere({ nodeId, listen = {}, advertise, join = [] }: NodeOptions): Where {
  if (!isRecord(listen)) throw invalid("listen must be an object such as { port: 7400 }");
  checkKnownNames("startNode: listen", "option", Object.keys(listen), ["host", "port"]);
  const { host = hostDefault, port = portDefault } = listen;
  if (typeof host !== "string") throw invalid(`listen.host must be a string, got ${show(host)}`);
  if (nodeId !== undefined) checkNodeId(nodeId);
  if (!Array.isArray(join)) {
    throw invalid('join must be a list of addresses, such as ["ws://127.0.0.1:7400"]');
  }
  for (const address of join as readonly unknown[]) checkAddress("join", address);
  if (advertise !== undefined) checkAddress("advertise", advertise);
  return { nodeId, host, port: integer("listen.port", port, 0, 65_535), advertise, join };
}

function checkFunctions(functions: unknown): void {
  if (!isRecord(functions)) {
    throw invalid("functions must be an object of definitions by name, such as { cart }");
  }
  for (const [name, definition] of Object.entries(functions)) {
    checkFunctionName(name);
    if (!isFunctionDefinition(definition)) {
      throw invalid(`functions.${name} was not made by defineFunction`);
    }
  }
}

const zoneLengthMax = 128;

function checkZone(zone: unknown): string {
  if (typeof zone === "string" && zone.length <= zoneLengthMax) return zone;
  throw invalid(`zone must be a string of at most ${String(zoneLengthMax)} characters`);
}

const levels = ["debug", "info", "warn", "error", "silent"];
const logMethods = ["debug", "info", "warn", "error", "child"];

function checkLogger(logger: unknown): void {
  if (typeof logger === "string" && levels.includes(logger)) return;
  if (isRecord(logger) && logMethods.every((name) => typeof logger[name] === "function")) return;
  throw invalid(
    `logger must be one of ${levels.join(", ")}, or an object with the methods ` +
      `${logMethods.join(", ")}; got ${show(logger)}`,
  );
}

/** `ws://host:port` and nothing behind it. */
function checkAddress(option: string, address: unknown): void {
  const url = typeof address === "string" && URL.canParse(address) ? new URL(address) : null;
  const usable =
    url !== null &&
    (url.protocol === "ws:" || url.protocol === "wss:") &&
    url.port !== "" &&
    (url.pathname === "/" || url.pathname === "");
  if (usable) return;
  throw invalid(`${option}: ${JSON.stringify(address)} is no address like ws://127.0.0.1:7400`);
}

function checkWeight(weight: number): number {
  const tenths = Math.round(weight * 10);
  if (tenths >= 1 && tenths <= 100 && Math.abs(weight * 10 - tenths) < 1e-9) return tenths / 10;
  throw invalid(`weight must be a multiple of 0.1 from 0.1 to 10, got ${String(weight)}`);
}

function checkAcksOption(acks: unknown): Acks {
  if (acks === "all") return acks;
  return integer("acks", acks, 1, replicasMax);
}

function integer(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
    return value;
  }
  const range = `${String(min)} to ${String(max)}`;
  throw invalid(`${option} must be an integer from ${range}, got ${String(value)}`);
}

function boolean(option: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(`${option} must be true or false, got ${String(value)}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (typeof value === "string") return value.slice(0, 64);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : typeof value;
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `startNode: ${what}`);
}
