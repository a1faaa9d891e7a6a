/** Hurts the network: delays, resets, cuts and splits of every shape, overlapping as they come. */
import { randomBelow } from "../../model/random.ts";
import { jitteryLink } from "../simulated-network.ts";
import type { FaultLedger } from "./fault-ledger.ts";

export class NetworkFaults {
  readonly #ledger: FaultLedger;
  /** Host names of clients, which may be cut off too. */
  readonly #clients: readonly string[];

  constructor(ledger: FaultLedger, clients: readonly string[]) {
    this.#ledger = ledger;
    this.#clients = clients;
  }

  /** Nothing reaches this host, and nothing comes from it. */
  cutOff(host: string, durationMs: number, what: string): () => void {
    const pairs = others(this.#hosts(), host).flatMap((other) => both(host, other));
    return this.#cutPaths(pairs, durationMs, `${what} ${host}`);
  }

  /** It reaches every node and hears none; its clients notice nothing. */
  deafen(host: string, durationMs: number): () => void {
    const pairs = others(this.#nodes(), host).map((other) => [other, host] as const);
    return this.#cutPaths(pairs, durationMs, `deafen ${host}`);
  }

  /** It hears every node and reaches none; its clients notice nothing. */
  mute(host: string, durationMs: number): () => void {
    const pairs = others(this.#nodes(), host).map((other) => [host, other] as const);
    return this.#cutPaths(pairs, durationMs, `mute ${host}`);
  }

  /** No node reaches it and it reaches none; its clients notice nothing. */
  shun(host: string, durationMs: number): () => void {
    const pairs = others(this.#nodes(), host).flatMap((other) => both(host, other));
    return this.#cutPaths(pairs, durationMs, `shun ${host}`);
  }

  cutPair(from: string, to: string, isOneWay: boolean, durationMs: number): () => void {
    return this.#cutPaths(isOneWay ? [[from, to]] : both(from, to), durationMs, "cut");
  }

  resetPair(a: string, b: string): void {
    if (this.#ledger.cluster.network.reset(a, b) === 0) return;
    this.#ledger.note(`reset ${a} ${b}`);
    this.#ledger.networkTrouble();
  }

  /** Its clients lose their connections, and whatever they wait for they ask again. */
  resetClients(host: string): void {
    for (const client of this.#clients) this.resetPair(client, host);
  }

  /** All between it and the other nodes takes long enough for much to be under way at once. */
  lag(host: string, durationMs: number): () => void {
    const { paths } = this.#ledger.cluster.network;
    const model = jitteryLink(this.#ledger.lasting(5, 300), 0.5);
    const pairs = others(this.#nodes(), host).flatMap((other) => both(host, other));
    for (const [from, to] of pairs) paths.setLink(from, to, model);
    return this.#ledger.network(`lag ${host}`, durationMs, () => {
      for (const [from, to] of pairs) paths.setLink(from, to, undefined);
    });
  }

  delay(): boolean {
    const { paths } = this.#ledger.cluster.network;
    const model = jitteryLink(2 ** (2 + this.#ledger.random() * 7), 0.5 + this.#ledger.random());
    const hosts = this.#hosts();
    const host = this.#ledger.pick(hosts);
    const others = this.#ledger.random() < 0.4 ? hosts : [this.#ledger.pick(hosts)];
    for (const other of others) {
      if (other === host) continue;
      paths.setLink(host, other, model);
      if (this.#ledger.random() < 0.7) paths.setLink(other, host, model);
    }
    this.#ledger.network(`delay around ${host}`, this.#ledger.lasting(1_000, 15_000), () => {
      for (const other of others) {
        if (other === host) continue;
        paths.setLink(host, other, undefined);
        paths.setLink(other, host, undefined);
      }
    });
    return true;
  }

  reset(): boolean {
    const [a, b] = this.#ledger.two(this.#hosts());
    if (b === undefined || this.#ledger.cluster.network.reset(a, b) === 0) return false;
    this.#ledger.note(`reset ${a} ${b}`);
    this.#ledger.networkTrouble();
    return true;
  }

  cut(isOneWay: boolean): boolean {
    const [a, b] = this.#ledger.two(this.#ledger.random() < 0.2 ? this.#hosts() : this.#nodes());
    if (b === undefined) return false;
    this.#cutPaths(isOneWay ? [[a, b]] : both(a, b), this.#ledger.lasting(300, 15_000), "cut");
    return true;
  }

  /** @param bridgeCount hosts that both sides go on to reach */
  split(bridgeCount: number): boolean {
    const nodes = this.#ledger.shuffled(this.#nodes());
    const bridges = nodes.splice(0, bridgeCount);
    if (nodes.length < 2) return false;
    const size = 1 + randomBelow(this.#ledger.random, nodes.length - 1);
    const side = [...nodes.slice(0, size)];
    const other = [...nodes.slice(size)];
    // Clients are on one side, or reach both.
    for (const client of this.#clients) {
      const draw = this.#ledger.random();
      if (draw < 0.4) side.push(client);
      else if (draw < 0.8) other.push(client);
    }
    const pairs = side.flatMap((a) => other.flatMap((b) => both(a, b)));
    const what = `split ${side.join(" ")} | ${other.join(" ")} bridged by ${bridges.join(" ")}`;
    this.#cutPaths(pairs, this.#ledger.lasting(500, 20_000), what);
    return true;
  }

  flap(): boolean {
    const [a, b] = this.#ledger.two(this.#nodes());
    if (b === undefined) return false;
    let left = 3 + randomBelow(this.#ledger.random, 6);
    const again = (): void => {
      if (this.#ledger.isOver || left-- === 0) return;
      const durationMs = this.#ledger.lasting(200, 3_000);
      this.#cutPaths(both(a, b), durationMs, "flap");
      this.#ledger.after(durationMs + this.#ledger.lasting(100, 3_000), again);
    };
    again();
    return true;
  }

  isolate(): boolean {
    const node = this.#ledger.pick(this.#nodes());
    this.cutOff(node, this.#ledger.lasting(500, 20_000), "isolate");
    return true;
  }

  #cutPaths(
    pairs: readonly (readonly [string, string])[],
    durationMs: number,
    what: string,
  ): () => void {
    const { paths } = this.#ledger.cluster.network;
    for (const [from, to] of pairs) paths.cutOneWay(from, to);
    const names = pairs.length > 2 ? "" : pairs.map((pair) => pair.join(">")).join(" ");
    return this.#ledger.network(`${what} ${names}`, durationMs, () => {
      for (const [from, to] of pairs) paths.healOneWay(from, to);
    });
  }

  #nodes(): string[] {
    return this.#ledger.living().map(({ id }) => id);
  }

  #hosts(): string[] {
    return [...this.#nodes(), ...this.#clients];
  }
}

function others(hosts: readonly string[], host: string): string[] {
  return hosts.filter((other) => other !== host);
}

function both(a: string, b: string): (readonly [string, string])[] {
  return [
    [a, b],
    [b, a],
  ];
}
