/**
 * A network of named hosts on virtual time, with the faults of whole networks on top of those of
 * single paths (`MemoryNetwork`): clean splits, bridges, one-way cuts, slow and jittery links. Every
 * frame that arrives can be listened to, which is what transcripts are made of.
 */
import type { Random } from "../model/random.ts";
import type { Timers } from "../platform/platform.ts";
import type { VirtualTime } from "../platform/virtual/virtual-time.ts";
import { seededRandom } from "../platform/seeded-random.ts";
import { MemoryNetwork } from "../transport/memory-network.ts";
import { fastLink, type LinkModel } from "../transport/memory-pipe.ts";
import type { ConnectionHandlers, Transport } from "../transport/transport.ts";

/** Told of every frame that arrives, in order, before its receiver is. */
export type FrameTap = (from: string, to: string, frame: Uint8Array, connection: number) => void;

/** No link waits longer than this for one frame. */
const linkDelayMsMax = 2_000;

export class SimulatedNetwork {
  /** The faults by pairs of hosts: `cut`, `heal`, `reset`, `setLink` … */
  readonly paths: MemoryNetwork;
  #tap: FrameTap | undefined;
  #connectionCount = 0;
  #usualLink: LinkModel;

  constructor(
    time: VirtualTime,
    options: { readonly verifyFrames?: boolean; readonly link?: LinkModel } = {},
  ) {
    this.#usualLink = options.link ?? fastLink;
    this.paths = new MemoryNetwork({
      clock: time.clock,
      timers: time.timers,
      random: seededRandom(time.seed, "network"),
      link: this.#usualLink,
      verifyFrames: options.verifyFrames ?? true,
    });
  }

  /** Listens to every frame from now on. */
  listen(tap: FrameTap): void {
    this.#tap = tap;
  }

  /** The transport of one process on the host `name`; `timers` are its `input`. */
  transportFor(name: string, timers: Timers): Transport {
    const inner = this.paths.transportFor(name, timers);
    return {
      dial: (address, handlers, options) => {
        return inner.dial(address, this.#tapped(hostOf(address), name, handlers), options);
      },
      listen: (options, accept) => {
        return inner.listen(options, (connection) => {
          return this.#tapped(hostOf(connection.remoteAddress), name, accept(connection));
        });
      },
    };
  }

  /** Black holes between any two hosts of different groups; hosts in no group keep all their paths. */
  split(...groups: readonly (readonly string[])[]): void {
    for (const [index, group] of groups.entries()) {
      for (const other of groups.slice(index + 1)) {
        for (const a of group) for (const b of other) this.paths.cut(a, b);
      }
    }
  }

  /** Breaks every connection between two hosts; both ends notice. Part of what flies is lost. */
  reset(a: string, b: string): number {
    return this.paths.reset(a, b);
  }

  /** Every path is whole again, at its usual speed. */
  heal(): void {
    this.paths.healAll();
    this.paths.setAllLinks(this.#usualLink);
  }

  #tapped(from: string, to: string, handlers: ConnectionHandlers): ConnectionHandlers {
    const connection = ++this.#connectionCount;
    return {
      open: () => handlers.open?.(),
      frame: (frame) => {
        this.#tap?.(from, to, frame, connection);
        handlers.frame(frame);
      },
      close: (code, reason) => {
        handlers.close(code, reason);
      },
      drain: () => handlers.drain?.(),
    };
  }
}

/** Log-normal delays around a median, as long as real networks have them (σ of the logarithm). */
export function jitteryLink(medianMs: number, sigma: number, bytesPerMs = 1_000_000): LinkModel {
  return {
    delayMs: (random) => Math.min(linkDelayMsMax, medianMs * Math.exp(sigma * normal(random))),
    bytesPerMs,
  };
}

/** Box and Muller (1958). */
function normal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return radius * Math.cos(2 * Math.PI * random());
}

/** `ws://name:port` or `name:port`. */
function hostOf(address: string): string {
  const start = address.startsWith("ws://") ? 5 : 0;
  return address.slice(start, address.lastIndexOf(":"));
}
