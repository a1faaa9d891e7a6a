/** What `connect` takes, and its check: a mistake here is told before anything is dialled. */
import { LatticeError } from "../model/error.ts";
import { checkClusterName } from "../model/names.ts";
import { SessionMarks } from "../routing/session-marks.ts";
import { checkKnownNames } from "../definition/known-names.ts";

export interface ConnectOptions {
  /**
   * Join addresses: one or more nodes of the cluster, `ws://host:port`. One that answers is enough;
   * the others are found through it. At most 64.
   */
  readonly nodes: readonly string[];
  /** Refuse a cluster of another name with `incompatible`. @default any name */
  readonly cluster?: string | undefined;
  /**
   * How long `connect` tries before it fails with `unavailable`, in milliseconds, 1 … 300,000. Calls
   * have their own time: `.with({ timeoutMs })`.
   * @default 5000
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Call every node directly, in one hop. `false` stays with one of `nodes`, which forwards: for
   * clients behind a load balancer or an address translation that hides the other nodes.
   * @default true
   */
  readonly direct?: boolean | undefined;
  /**
   * Let a retried call take effect once, by (caller, number). `false` makes calls a little smaller
   * and every unknown outcome an error: nothing is retried that may have run.
   * @default true
   */
  readonly protection?: boolean | undefined;
  /**
   * The client is one session: it reads its own writes and never goes back in time, whichever owner
   * answers (`readFrom: "any"`) and whoever leads. What no copy within reach can keep is `unavailable`:
   * a session is never served degraded.
   * @default false, or true where a `token` is given
   */
  readonly session?: boolean | undefined;
  /** Go on with the session whose `client.token()` this is: nothing older than it saw is shown. */
  readonly token?: string | undefined;
}

export interface ConnectSettings {
  readonly nodes: readonly string[];
  /** "" for any. */
  readonly cluster: string;
  readonly timeoutMs: number;
  readonly direct: boolean;
  readonly protection: boolean;
  /** `undefined`: the calls are in no session. */
  readonly session: SessionMarks | undefined;
}

const timeoutMsDefault = 5_000;
const timeoutMsMax = 300_000;
const maxJoinAddresses = 64;
const optionNames = ["nodes", "cluster", "timeoutMs", "direct", "protection", "session", "token"];

/** @throws LatticeError `invalid_argument` that names the option and says what it takes. */
export function checkConnectOptions(options: ConnectOptions): ConnectSettings {
  if (typeof options !== "object" || (options as unknown) === null) {
    throw invalid('takes an object: connect({ nodes: ["ws://127.0.0.1:7400"] })');
  }
  checkKnownNames("connect", "option", Object.keys(options), optionNames);
  const cluster = options.cluster ?? "";
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  if (cluster !== "") checkClusterName(cluster);
  if (!(typeof timeoutMs === "number" && timeoutMs >= 1 && timeoutMs <= timeoutMsMax)) {
    throw invalid(`timeoutMs must be a number of milliseconds, 1 … ${String(timeoutMsMax)}`);
  }
  return {
    nodes: checkNodes(options.nodes),
    cluster,
    timeoutMs,
    direct: checkBoolean("direct", options.direct),
    protection: checkBoolean("protection", options.protection),
    session: checkSession(options),
  };
}

function checkSession({ session, token }: ConnectOptions): SessionMarks | undefined {
  if (session !== undefined) checkBoolean("session", session);
  if (token === undefined) return session === true ? new SessionMarks("") : undefined;
  if (session === false) throw invalid("a token is for a session: leave `session: false` out");
  return new SessionMarks(token === "" ? "empty" : token);
}

/** `undefined` is the default, true. */
function checkBoolean(name: string, value: unknown): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? true;
  throw invalid(`${name} must be true or false`);
}

function checkNodes(nodes: unknown): readonly string[] {
  if (!Array.isArray(nodes) || nodes.length === 0) {
    throw invalid('nodes must be a list of addresses, such as ["ws://127.0.0.1:7400"]');
  }
  if (nodes.length > maxJoinAddresses) {
    throw invalid(`nodes has at most ${String(maxJoinAddresses)} addresses; a few are enough`);
  }
  return [...new Set(nodes.map(checkAddress))];
}

function checkAddress(address: unknown): string {
  if (typeof address === "string" && /^wss?:\/\/[^\s/?#]+\/?$/.test(address)) {
    return address.endsWith("/") ? address.slice(0, -1) : address;
  }
  const shown = typeof address === "string" ? `'${address.slice(0, 128)}'` : typeof address;
  throw invalid(`${shown} is not the address of a node; write ws://host:port`);
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `connect: ${what}`);
}
