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
   * Cuts every pair of which the ends are on two sides, and resets what stood between them or, as a
   * black hole, tells nobody. Returns how many connections were cut.
   */
  split(sides: readonly (readonly number[])[], how: "black-hole" | "reset"): number {
    const sideOf = (index: number): number => sides.findIndex((side) => side.includes(index));
    let cut = 0;
    for (const { from, to, proxy } of this.#pairs) {
      if (sideOf(from) === sideOf(to)) continue;
      cut += proxy.connectionCount;
      if (how === "reset") proxy.reset();
      proxy.cut();
    }
    return cut;
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
