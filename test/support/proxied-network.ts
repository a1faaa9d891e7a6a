/**
 * The network between real nodes, to be broken: one proxy for every ordered pair (who dials, who is
 * dialled). Nodes tell everybody their true addresses, and each reaches every other one through its
 * own proxy (`npm run node -- --dial TRUE=PROXY`); clients dial the true addresses, so that a split
 * between nodes leaves clients where they are.
 */
import { TcpProxy } from "./tcp-proxy.ts";

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly proxy: TcpProxy;
}

/** The indexes of the nodes on either side of a broken network. */
export type Sides = readonly [readonly number[], readonly number[]];

export class ProxiedNetwork {
  readonly #ports: readonly number[];
  readonly #pairs: readonly Pair[];

  private constructor(ports: readonly number[], pairs: readonly Pair[]) {
    this.#ports = ports;
    this.#pairs = pairs;
  }

  /** @param ports on which the nodes will listen, by their index */
  static async start(ports: readonly number[]): Promise<ProxiedNetwork> {
    const pairs: Pair[] = [];
    for (const from of ports.keys()) {
      for (const [to, targetPort] of ports.entries()) {
        if (from !== to) pairs.push({ from, to, proxy: await TcpProxy.start({ targetPort }) });
      }
    }
    return new ProxiedNetwork(ports, pairs);
  }

  /** The options of the node with this index that lead its dials through its proxies. */
  nodeArgs(index: number): string[] {
    return this.#pairs
      .filter(({ from }) => from === index)
      .flatMap(({ to, proxy }) => ["--dial", `${addressOf(this.#ports[to]!)}=${proxy.address}`]);
  }

  /** Connections between nodes that pass through proxies now. */
  get connectionCount(): number {
    return this.#pairs.reduce((sum, { proxy }) => sum + proxy.connectionCount, 0);
  }

  get forwardedBytes(): number {
    return this.#pairs.reduce((sum, { proxy }) => sum + proxy.forwardedBytes, 0);
  }

  /**
   * Lets nothing pass between these sides, in both directions, and resets what stood between them or,
   * as a black hole, tells nobody. Returns how many connections were cut.
   */
  split([one, other]: Sides, how: "black-hole" | "reset"): number {
    const cut = how === "reset" ? this.reset([one, other]) : this.connectionsBetween([one, other]);
    this.block(one, other);
    this.block(other, one);
    return cut;
  }

  /** Lets nothing pass from these nodes to those, and tells nobody; the other direction is as it was. */
  block(from: readonly number[], to: readonly number[]): void {
    for (const pair of this.#pairs) {
      if (from.includes(pair.from) && to.includes(pair.to)) pair.proxy.cut("up");
      if (to.includes(pair.from) && from.includes(pair.to)) pair.proxy.cut("down");
    }
  }

  /** Whatever these nodes send to others and are sent by them from now on arrives so much later. */
  delay(nodes: readonly number[], delayMs: number): void {
    for (const { from, to, proxy } of this.#pairs) {
      if (nodes.includes(from) !== nodes.includes(to)) proxy.delay(delayMs);
    }
  }

  /** Breaks what stands between these sides; returns how many connections that were. */
  reset(sides: Sides): number {
    const cut = this.connectionsBetween(sides);
    for (const { proxy } of this.#between(sides)) proxy.reset();
    return cut;
  }

  connectionsBetween(sides: Sides): number {
    return this.#between(sides).reduce((sum, { proxy }) => sum + proxy.connectionCount, 0);
  }

  #between([one, other]: Sides): readonly Pair[] {
    const areApart = (a: number, b: number): boolean => one.includes(a) && other.includes(b);
    return this.#pairs.filter(({ from, to }) => areApart(from, to) || areApart(to, from));
  }

  heal(): void {
    for (const { proxy } of this.#pairs) proxy.heal();
  }

  async close(): Promise<void> {
    await Promise.all(this.#pairs.map(({ proxy }) => proxy.close()));
  }
}

function addressOf(port: number): string {
  return `ws://127.0.0.1:${String(port)}`;
}
