/**
 * A network in memory: the twin of WebSockets for tests, for one-process clusters and, over virtual
 * time, for the simulator. Hosts have names; `ws://name:port` is an address in it. Its faults are
 * those of real networks and processes, by host names:
 *
 *   cut / heal     nothing arrives any more, in one or both directions; nobody is told (black hole)
 *   reset          connections between two hosts break; both ends are told
 *   crash          a process dies: peers see "lost", later dials are refused
 *   powerOff       a machine dies: peers see nothing until they ask, later dials time out
 *   setLink        delay distribution and bandwidth of one direction
 *
 * After `crash` or `powerOff`, `transportFor` with the same name is the restart.
 */
import { LatticeError } from "../model/error.ts";
import type { Random } from "../model/random.ts";
import type { Clock, Timers } from "../platform/platform.ts";
import { checkHost, checkPort, portInUse } from "./binding.ts";
import { abnormalCode } from "./close-code.ts";
import { connectionCountMax, dialTimeoutMsDefault, maxFrameBytesDefault } from "./limits.ts";
import { MemoryConnection, type FrameBytesMax } from "./memory-connection.ts";
import type { LinkModel } from "./memory-pipe.ts";
import { fastLink, MemoryPath, MemoryPipe } from "./memory-pipe.ts";
import type {
  Accept,
  Connection,
  ConnectionHandlers,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
} from "./transport.ts";

const firstFreePort = 49_152;

export interface MemoryNetworkOptions {
  /** Of the network itself: never paused or stopped. */
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** @default `fastLink` */
  readonly link?: LinkModel;
  /** Throws when a frame is written to after it was sent. @default true */
  readonly verifyFrames?: boolean;
}

interface Port {
  readonly accept: Accept;
  readonly limits: FrameBytesMax;
}

interface Host {
  readonly name: string;
  /** The network's once the host is dead: its own do not run any more. */
  timers: Timers;
  readonly ports: Map<number, Port>;
  readonly connections: Set<MemoryConnection>;
  state: "up" | "crashed" | "off";
}

/** What the network knows of one end, beside the end itself. */
interface End {
  readonly host: Host;
  readonly peerHost: Host;
  readonly out: MemoryPipe;
  readonly peer: MemoryConnection;
}

export class MemoryNetwork {
  readonly #options: MemoryNetworkOptions;
  readonly #hosts = new Map<string, Host>();
  readonly #paths = new Map<string, MemoryPath>();
  readonly #ends = new Map<MemoryConnection, End>();
  #defaultLink: LinkModel;
  #dialCount = 0;

  constructor(options: MemoryNetworkOptions) {
    this.#options = options;
    this.#defaultLink = options.link ?? fastLink;
  }

  /**
   * The transport of one host. `timers` run its handlers; on virtual time give the node's `input`,
   * so that a paused node reads only when it goes on, and after its own timers.
   * @throws `already_exists` while a host of that name is up
   */
  transportFor(name: string, timers: Timers): Transport {
    if (this.#hosts.get(name)?.state === "up") {
      throw new LatticeError("already_exists", `host ${name} is up: crash it before it restarts`);
    }
    const host: Host = { name, timers, ports: new Map(), connections: new Set(), state: "up" };
    this.#hosts.set(name, host);
    return {
      dial: (address, handlers, options) => this.#dial(host, address, handlers, options ?? {}),
      listen: (options, accept) => this.#listen(host, options, accept),
    };
  }

  /** Black hole in both directions. Connections seem open; dials time out. */
  cut(a: string, b: string): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  cutOneWay(from: string, to: string): void {
    this.#path(from, to).cut();
  }

  /** What was held back arrives now, on connections that are still open. */
  heal(a: string, b: string): void {
    this.healOneWay(a, b);
    this.healOneWay(b, a);
  }

  healOneWay(from: string, to: string): void {
    this.#path(from, to).heal();
  }

  healAll(): void {
    for (const path of this.#paths.values()) path.heal();
  }

  isCut(from: string, to: string): boolean {
    return this.#paths.get(pathName(from, to))?.isCut ?? false;
  }

  /** Delay and bandwidth from one host to another; `undefined` for the default. */
  setLink(from: string, to: string, model: LinkModel | undefined): void {
    this.#path(from, to).model = model ?? this.#defaultLink;
  }

  /** Delay and bandwidth of all directions, also of those that were set one by one. */
  setAllLinks(model: LinkModel): void {
    this.#defaultLink = model;
    for (const path of this.#paths.values()) path.model = model;
  }

  /** Breaks all connections between two hosts; part of what is on its way is lost. Returns how many. */
  reset(a: string, b: string): number {
    let count = 0;
    for (const end of this.#ends.values()) {
      const { host, peerHost, out } = end;
      const isBetween =
        (host.name === a && peerHost.name === b) || (host.name === b && peerHost.name === a);
      if (!isBetween) continue;
      out.truncate();
      out.push({ type: "reset" });
      count += 1;
    }
    return count / 2;
  }

  /** The process of a host dies; its system tells the peers. Nothing of it runs any more. */
  crash(name: string): void {
    this.#stop(name, "crashed", (out) => {
      out.truncate();
      out.push({ type: "reset" });
    });
  }

  /** The machine of a host dies: nobody is told. */
  powerOff(name: string): void {
    this.#stop(name, "off", (out) => {
      out.clear();
    });
  }

  /** Ends of connections that are open, opening or closing at a host, or at all. */
  connectionCount(name?: string): number {
    return name === undefined ? this.#ends.size : (this.#hosts.get(name)?.connections.size ?? 0);
  }

  #stop(name: string, state: "crashed" | "off", tell: (out: MemoryPipe) => void): void {
    const host = this.#hosts.get(name);
    if (host?.state !== "up") return;
    host.state = state;
    host.ports.clear();
    host.timers = this.#options.timers;
    for (const connection of [...host.connections]) {
      const end = this.#ends.get(connection);
      if (end !== undefined) {
        tell(end.out);
        this.#ends.get(end.peer)?.out.clear();
      }
      connection.abandon();
    }
  }

  #listen(host: Host, options: ListenOptions, accept: Accept): Promise<Listener> {
    return Promise.resolve().then(() => {
      if (options.host !== undefined && options.host !== host.name) checkHost(options.host);
      checkPort(options.port);
      let { port } = options;
      if (port === 0) for (port = firstFreePort; host.ports.has(port);) port += 1;
      if (host.ports.has(port)) throw portInUse(host.name, port);
      const bound: Port = { accept, limits: frameBytesMax(options) };
      host.ports.set(port, bound);
      return {
        address: `ws://${host.name}:${String(port)}`,
        close: () => {
          if (host.ports.get(port) === bound) host.ports.delete(port);
          return Promise.resolve();
        },
      };
    });
  }

  #dial(
    host: Host,
    address: string,
    handlers: ConnectionHandlers,
    options: DialOptions,
  ): Connection {
    const { timeoutMs = dialTimeoutMsDefault } = options;
    const connection = this.#makeEnd(host, address, frameBytesMax(options));
    connection.attach(handlers);
    const target = parseAddress(address);
    if (target === undefined) {
      const message = `${address}: not an address, give ws://host:port`;
      host.timers.defer(() => {
        connection.end(abnormalCode, { type: "unreachable", message });
      });
      return connection;
    }
    connection.limitDial(timeoutMs);
    this.#knock(host, connection, target);
    return connection;
  }

  /** The first packet. A host that is down cannot run timers: the network carries it and its refusal. */
  #knock(host: Host, connection: MemoryConnection, target: Target): void {
    const { timers, clock, random } = this.#options;
    const knock = new MemoryPipe({
      clock,
      random,
      timers: () => timers,
      path: this.#path(host.name, target.host),
      deliver: () => {
        const listening = this.#hosts.get(target.host);
        const { port } = target;
        if (listening?.state === "off") return;
        if (listening?.state === "up" && listening.ports.has(port)) {
          listening.timers.after(0, () => {
            this.#accept(listening, port, host, connection);
          });
          return;
        }
        this.#refuse(host, connection, target.host);
      },
    });
    knock.push({ type: "ping" });
  }

  #refuse(host: Host, connection: MemoryConnection, from: string): void {
    const { clock, random } = this.#options;
    const message = `${connection.remoteAddress}: connection refused, nobody listens there`;
    const answer = new MemoryPipe({
      clock,
      random,
      timers: () => host.timers,
      path: this.#path(from, host.name),
      deliver: () => {
        if (host.state === "up") connection.end(abnormalCode, { type: "refused", message });
      },
    });
    answer.push({ type: "reset" });
  }

  #accept(host: Host, portNumber: number, from: Host, dialled: MemoryConnection): void {
    const port = host.ports.get(portNumber);
    if (dialled.state !== "opening" || host.state !== "up") return;
    if (port === undefined || host.connections.size >= connectionCountMax) {
      this.#refuse(from, dialled, host.name);
      return;
    }
    const address = `${from.name}:${String(firstFreePort + (this.#dialCount++ % 16_384))}`;
    const accepted = this.#makeEnd(host, address, port.limits);
    this.#connect(from, dialled, host, accepted);
    this.#connect(host, accepted, from, dialled);
    accepted.open();
    this.#ends.get(accepted)?.out.push({ type: "opened" });
    accepted.attach(port.accept(accepted));
  }

  #makeEnd(host: Host, remoteAddress: string, frameLimits: FrameBytesMax): MemoryConnection {
    const connection = new MemoryConnection({
      clock: this.#options.clock,
      timers: host.timers,
      remoteAddress,
      frameBytesMax: frameLimits,
      verifyFrames: this.#options.verifyFrames ?? true,
      ended: (end) => {
        host.connections.delete(end);
        this.#ends.delete(end);
      },
    });
    host.connections.add(connection);
    return connection;
  }

  #connect(host: Host, end: MemoryConnection, peerHost: Host, peer: MemoryConnection): void {
    const { clock, random } = this.#options;
    const out = new MemoryPipe({
      clock,
      random,
      path: this.#path(host.name, peerHost.name),
      timers: () => peerHost.timers,
      deliver: (item) => {
        if (peerHost.state === "up") peer.receive(item);
        else this.#answerForTheDead(peerHost, end);
      },
    });
    end.connect(out, peer);
    this.#ends.set(end, { host, peerHost, out, peer });
  }

  /** A machine that is back knows nothing of its earlier connections and says so. */
  #answerForTheDead(host: Host, sender: MemoryConnection): void {
    if (this.#hosts.get(host.name)?.state !== "up") return;
    const { clock, random } = this.#options;
    const senderHost = this.#ends.get(sender)?.host;
    if (senderHost === undefined) return;
    const answer = new MemoryPipe({
      clock,
      random,
      timers: () => senderHost.timers,
      path: this.#path(host.name, senderHost.name),
      deliver: (item) => {
        if (senderHost.state === "up") sender.receive(item);
      },
    });
    answer.push({ type: "reset" });
  }

  #path(from: string, to: string): MemoryPath {
    const name = pathName(from, to);
    let path = this.#paths.get(name);
    if (path === undefined) {
      path = new MemoryPath(this.#defaultLink);
      this.#paths.set(name, path);
    }
    return path;
  }
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function parseAddress(address: string): Target | undefined {
  const match = /^ws:\/\/([^/:]+):(\d{1,5})\/?$/.exec(address);
  return match === null ? undefined : { host: match[1] ?? "", port: Number(match[2]) };
}

function pathName(from: string, to: string): string {
  return `${from} ${to}`;
}

function frameBytesMax(options: DialOptions | ListenOptions): FrameBytesMax {
  const later = options.maxFrameBytes ?? maxFrameBytesDefault;
  const first = "maxFirstFrameBytes" in options ? options.maxFirstFrameBytes : undefined;
  return { first: first ?? later, later };
}
