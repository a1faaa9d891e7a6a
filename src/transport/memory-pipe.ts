/**
 * One direction of one connection in memory, and the path (from host to host) that it goes along.
 *
 * A path behaves like TCP over a network that can break: what is sent arrives whole and in order,
 * after a delay, no faster than the bandwidth; while the path is cut nothing arrives and nobody is
 * told; when it heals, what was held back arrives, in order, as TCP would have sent it again.
 */
import { LatticeError } from "../model/error.ts";
import type { Random } from "../model/random.ts";
import { randomBelow } from "../model/random.ts";
import type { Clock, Timer, Timers } from "../platform/platform.ts";

/** How a path behaves; drawn anew for every frame. */
export interface LinkModel {
  /** One-way delay in milliseconds. */
  readonly delayMs: (random: Random) => number;
  readonly bytesPerMs: number;
}

/** A local network: 0.1 to 0.3 ms one way, 1 GB/s. */
export const fastLink: LinkModel = Object.freeze({
  delayMs: (random: Random) => 0.1 + 0.2 * random(),
  bytesPerMs: 1_000_000,
});

/** Bytes that the operating systems of both ends hold before `bufferedBytes` begins to grow. */
const systemBufferBytes = 512 * 1024;

/** The way from one host to another, shared by all their connections. */
export class MemoryPath {
  model: LinkModel;
  readonly #held = new Set<MemoryPipe>();
  #isCut = false;

  constructor(model: LinkModel) {
    this.model = model;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** From now on nothing arrives. What is on its way already does. */
  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
    const held = [...this.#held];
    this.#held.clear();
    for (const pipe of held) pipe.release();
  }

  hold(pipe: MemoryPipe): void {
    this.#held.add(pipe);
  }

  forget(pipe: MemoryPipe): void {
    this.#held.delete(pipe);
  }
}

export type PipeItem =
  | { readonly type: "frame"; readonly frame: Uint8Array; readonly sent: Uint8Array | undefined }
  | { readonly type: "opened" | "ping" | "pong" | "reset" }
  | { readonly type: "close" | "closed"; readonly code: number; readonly reason: string };

export interface PipeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly path: MemoryPath;
  /** Of the receiving host; asked for every item, because a host may die. */
  readonly timers: () => Timers;
  readonly deliver: (item: PipeItem) => void;
}

interface Flight {
  readonly item: PipeItem;
  readonly timer: Timer;
}

export class MemoryPipe {
  readonly #options: PipeOptions;
  #flying: Flight[] = [];
  #held: PipeItem[] = [];
  #undeliveredBytes = 0;
  #lineFreeAt = 0;
  #arrivesAt = 0;
  /** Frames that arrived; tells whether anything gets through. */
  deliveredCount = 0;

  constructor(options: PipeOptions) {
    this.#options = options;
  }

  get bufferedBytes(): number {
    return Math.max(0, this.#undeliveredBytes - systemBufferBytes);
  }

  push(item: PipeItem): void {
    this.#undeliveredBytes += bytesOf(item);
    const { path } = this.#options;
    if (path.isCut) {
      this.#held.push(item);
      path.hold(this);
    } else {
      this.#depart(item);
    }
  }

  /** The path is whole again. */
  release(): void {
    const held = this.#held;
    this.#held = [];
    for (const item of held) this.#depart(item);
  }

  /** The sender died: of what is on its way, a random part from the end is lost, as is what waits. */
  truncate(): void {
    const { random, path } = this.#options;
    const lost = this.#flying.splice(randomBelow(random, this.#flying.length + 1));
    for (const { item, timer } of lost) {
      timer.cancel();
      this.#undeliveredBytes -= bytesOf(item);
    }
    for (const item of this.#held) this.#undeliveredBytes -= bytesOf(item);
    this.#held = [];
    path.forget(this);
  }

  /** Nobody is there to receive any more. */
  clear(): void {
    for (const { timer } of this.#flying) timer.cancel();
    this.#flying = [];
    this.#held = [];
    this.#undeliveredBytes = 0;
    this.#options.path.forget(this);
  }

  #depart(item: PipeItem): void {
    const { clock, random, path, timers } = this.#options;
    const now = clock.now();
    const { delayMs, bytesPerMs } = path.model;
    this.#lineFreeAt = Math.max(now, this.#lineFreeAt) + bytesOf(item) / bytesPerMs;
    this.#arrivesAt = Math.max(this.#arrivesAt, this.#lineFreeAt + delayMs(random));
    const timer = timers().after(this.#arrivesAt - now, this.#arrive);
    this.#flying.push({ item, timer });
  }

  /** Whichever timer fires, the oldest item arrives: timers of equal times need not keep order. */
  readonly #arrive = (): void => {
    const flight = this.#flying.shift();
    if (flight === undefined) return;
    const { item } = flight;
    this.#undeliveredBytes -= bytesOf(item);
    if (item.type === "frame") {
      this.deliveredCount += 1;
      checkUnchanged(item.frame, item.sent);
    }
    this.#options.deliver(item);
  };
}

/** Real connections send the very bytes that they were given: writing to them corrupts the frame. */
function checkUnchanged(frame: Uint8Array, sent: Uint8Array | undefined): void {
  if (sent === undefined) return;
  let index = 0;
  while (index < frame.length && frame[index] === sent[index]) index += 1;
  if (index === frame.length) return;
  throw new LatticeError(
    "internal",
    `a frame of ${String(frame.length)} bytes was written to after it was sent, at byte ${String(index)}`,
  );
}

function bytesOf(item: PipeItem): number {
  return item.type === "frame" ? item.frame.length : 0;
}
