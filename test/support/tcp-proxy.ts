/**
 * A TCP proxy in user space that stands between two real processes and breaks the network between
 * them: delay, throttle, black hole in one or both directions, reset, half-open connections. It
 * works without privileges everywhere, unlike `tc netem`.
 *
 *   dialler ⇄ socket ─ up lane ─▶ socket ⇄ target
 *                   ◀─ down lane ─
 *
 * While a direction is cut, its bytes, and the news that its sender closed, are held; after the
 * heal they arrive, as TCP would have sent them again. A target that refuses connections makes the
 * proxy stop listening too, until the target is back: whoever dials the proxy is refused as well.
 */
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export type Direction = "up" | "down";

export interface TcpProxyOptions {
  readonly targetPort: number;
  /** @default a free one */
  readonly port?: number;
}

const host = "127.0.0.1";
/** Bytes one direction holds before it stops reading, as buffers on the way would. */
const heldBytesMax = 256 * 1024;
/** How often a target that refused is asked whether it is back. */
const probeIntervalMs = 20;

interface Lane {
  readonly direction: Direction;
  readonly from: Socket;
  readonly to: Socket;
  readonly queue: { readonly dueAt: number; readonly data: Buffer | "end" | "reset" }[];
  queuedBytes: number;
  /** When the line has carried what was sent so far. */
  freeAt: number;
  timer: NodeJS.Timeout | undefined;
}

export class TcpProxy {
  readonly #targetPort: number;
  readonly #lanes = new Set<Lane>();
  readonly #cut = new Set<Direction>();
  #server: Server | undefined;
  #port: number;
  #delayMs = 0;
  #bytesPerMs = Number.POSITIVE_INFINITY;
  #probeTimer: NodeJS.Timeout | undefined;
  /** One at a time: a thousand connections may end at once, and the target must not be asked as often. */
  #isProbing = false;
  #isClosed = false;
  /** Bytes passed on, both directions together. */
  forwardedBytes = 0;

  private constructor(options: TcpProxyOptions) {
    this.#targetPort = options.targetPort;
    this.#port = options.port ?? 0;
  }

  static async start(options: TcpProxyOptions): Promise<TcpProxy> {
    const proxy = new TcpProxy(options);
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** `ws://127.0.0.1:port` */
  get address(): string {
    return `ws://${host}:${String(this.#port)}`;
  }

  /** Connections that pass through. */
  get connectionCount(): number {
    return this.#lanes.size / 2;
  }

  /** One-way delay of what is sent from now on. */
  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  /** Bandwidth per connection and direction. */
  throttle(bytesPerMs: number): void {
    this.#bytesPerMs = bytesPerMs;
  }

  /** Black hole: nothing passes, nobody is told. `up` is towards the target. */
  cut(...directions: readonly Direction[]): void {
    const both = directions.length === 0 ? (["up", "down"] as const) : directions;
    for (const direction of both) this.#cut.add(direction);
  }

  /** Ends all cuts; what was held passes now. */
  heal(): void {
    this.#cut.clear();
    for (const lane of this.#lanes) this.#pump(lane);
  }

  /** Breaks all connections: both ends get a TCP reset. */
  reset(): void {
    for (const lane of this.#lanes) lane.to.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#probeTimer);
    for (const lane of this.#lanes) lane.to.destroy();
    await this.#unlisten();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        this.#accept(socket);
      });
      server.once("error", reject);
      server.listen({ host, port: this.#port }, () => {
        if (this.#isClosed) server.close();
        this.#port = (server.address() as AddressInfo).port;
        this.#server = server;
        resolve();
      });
    });
  }

  #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    return new Promise((resolve) => {
      if (server === undefined) resolve();
      else
        server.close(() => {
          resolve();
        });
    });
  }

  #accept(down: Socket): void {
    const up = connect({ host, port: this.#targetPort, allowHalfOpen: true, noDelay: true });
    up.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") this.#refuse();
    });
    this.#join("up", down, up);
    this.#join("down", up, down);
  }

  #join(direction: Direction, from: Socket, to: Socket): void {
    const lane: Lane = {
      direction,
      from,
      to,
      queue: [],
      queuedBytes: 0,
      freeAt: 0,
      timer: undefined,
    };
    this.#lanes.add(lane);
    from.on("data", (data) => {
      this.#enqueue(lane, data);
    });
    from.on("end", () => {
      this.#enqueue(lane, "end");
    });
    from.on("error", () => {
      this.#enqueue(lane, "reset");
    });
    from.on("close", () => {
      // An `end` or `error` came before, unless this proxy itself broke the connection.
      this.#enqueue(lane, "reset");
      if (direction === "down") this.#probe();
    });
    to.on("close", () => {
      clearTimeout(lane.timer);
      this.#lanes.delete(lane);
    });
    to.on("drain", () => {
      this.#pump(lane);
    });
  }

  #enqueue(lane: Lane, data: Buffer | "end" | "reset"): void {
    const bytes = typeof data === "string" ? 0 : data.length;
    lane.freeAt = Math.max(performance.now(), lane.freeAt) + bytes / this.#bytesPerMs;
    lane.queue.push({ dueAt: lane.freeAt + this.#delayMs, data });
    lane.queuedBytes += bytes;
    if (lane.queuedBytes > heldBytesMax) lane.from.pause();
    this.#pump(lane);
  }

  #pump(lane: Lane): void {
    clearTimeout(lane.timer);
    while (!this.#cut.has(lane.direction) && !lane.to.writableNeedDrain) {
      const head = lane.queue[0];
      if (head === undefined) return;
      const waitMs = head.dueAt - performance.now();
      if (waitMs > 0) {
        lane.timer = setTimeout(() => {
          this.#pump(lane);
        }, waitMs);
        return;
      }
      lane.queue.shift();
      this.#pass(lane, head.data);
    }
  }

  #pass(lane: Lane, data: Buffer | "end" | "reset"): void {
    if (data === "end") {
      lane.to.end();
    } else if (data === "reset") {
      if (!lane.to.destroyed && !lane.to.writableEnded) lane.to.resetAndDestroy();
    } else {
      this.forwardedBytes += data.length;
      lane.queuedBytes -= data.length;
      if (lane.queuedBytes <= heldBytesMax && lane.from.isPaused()) lane.from.resume();
      lane.to.write(data);
    }
  }

  /** The target refuses: so does this, until it is back. */
  #refuse(): void {
    if (this.#server === undefined || this.#isClosed) return;
    void this.#unlisten();
    this.#probeAgain();
  }

  #probeAgain(): void {
    clearTimeout(this.#probeTimer);
    this.#probeTimer = setTimeout(() => {
      this.#probe();
    }, probeIntervalMs);
  }

  /** Asks whether the target still listens, and listens or refuses as it does. */
  #probe(): void {
    if (this.#isClosed || this.#isProbing) return;
    clearTimeout(this.#probeTimer);
    this.#isProbing = true;
    const socket = connect({ host, port: this.#targetPort });
    socket.once("connect", () => {
      this.#isProbing = false;
      socket.destroy();
      if (this.#server === undefined && !this.#isClosed) {
        // The port may be in use for a moment: then it is tried again.
        this.#listen().catch(() => {
          this.#probeAgain();
        });
      }
    });
    socket.once("error", () => {
      this.#isProbing = false;
      if (this.#isClosed) return;
      if (this.#server === undefined) this.#probeAgain();
      else this.#refuse();
    });
  }
}
