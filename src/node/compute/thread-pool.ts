/**
 * Runs functions of modules in threads beside the event loop: as many as the machine has processors, but
 * one. Threads begin with the first use and end when they have been idle. One whose run is given up is
 * terminated, whatever it does, and another takes its place.
 *
 * What waits for a thread waits here: the pool underneath begins no new thread for what it has queued when
 * one is terminated.
 */
import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import type { Compute, ComputeRun } from "../../functions/ports.ts";
import { LatticeError } from "../../model/error.ts";
import type { Logger } from "../../platform/platform.ts";
import { resultOf, type ModuleEnd, type ModuleRun, runModule } from "./run-module.ts";

/** Runs that wait for a thread. */
export const computeQueueMax = 256;
const idleThreadMs = 10_000;
/** About as long as a short run takes. */
const overloadRetryMs = 100;

export interface ThreadPoolOptions {
  readonly logger: Logger;
  /** Threads at once. @default available processors − 1, at least 1 */
  readonly threads?: number;
}

export class ThreadPool implements Compute {
  readonly #logger: Logger;
  readonly #threads: number;
  #pool: Promise<Pool> | undefined;
  #runningCount = 0;
  /** Begin their run when called. */
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor({ logger, threads = Math.max(1, availableParallelism() - 1) }: ThreadPoolOptions) {
    this.#logger = logger;
    this.#threads = threads;
  }

  async run({ module, input, signal }: ComputeRun): Promise<Uint8Array> {
    if (this.#isClosed) throw new LatticeError("unavailable", "ctx.compute: this node is stopping");
    await this.#room(signal);
    try {
      signal.throwIfAborted();
      this.#pool ??= this.#open();
      const pool = await this.#pool;
      return resultOf(await pool.run({ module, input: input.slice() }, { signal }));
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      this.#leave();
    }
  }

  /** Terminates every thread; what runs or waits is given up by those who asked for it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const pool = await this.#pool;
    await pool?.destroy();
  }

  /** Waits until a thread may be had. */
  async #room(signal: AbortSignal): Promise<void> {
    if (this.#runningCount < this.#threads) {
      this.#runningCount += 1;
      return;
    }
    if (this.#waiting.size >= computeQueueMax) throw overloaded(this.#threads);
    await new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#waiting.delete(begin);
        reject(signal.reason as Error);
      };
      const begin = (): void => {
        signal.removeEventListener("abort", giveUp);
        resolve();
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#waiting.add(begin);
    });
  }

  /** Leaves the thread to whoever has waited longest. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#runningCount -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  /** Nodes that compute nothing do not load it. */
  async #open(): Promise<Pool> {
    const { Piscina } = await import("piscina");
    const pool: Pool = new Piscina<ModuleRun, ModuleEnd>({
      filename: runModuleFile,
      name: runModule.name,
      ...(isSource ? { execArgv: ["--import", "tsx"] } : {}),
      minThreads: 0,
      maxThreads: this.#threads,
      idleTimeout: idleThreadMs,
      // A thread that sleeps between its runs would not go on with what a run has left behind.
      atomics: "disabled",
    });
    // Of a thread that runs nothing just now; without a listener it would end the process.
    pool.on("error", (error: unknown) => {
      this.#logger.warn("a thread of ctx.compute has failed", { error });
    });
    return pool;
  }
}

type Pool = Piscina<ModuleRun, ModuleEnd>;

/** In this repository it is run as it is written; a thread does not share the loader for that. */
const isSource = import.meta.url.endsWith(".ts");
/** As it lies beside this one. */
const runModuleFile = new URL(isSource ? "run-module.ts" : "run-module.js", import.meta.url).href;

function overloaded(threads: number): LatticeError {
  const waiting = `${String(computeQueueMax)} computations wait for ${String(threads)} threads`;
  return new LatticeError(
    "overloaded",
    `ctx.compute: ${waiting} of this node; nothing took effect`,
    {
      retryAfterMs: overloadRetryMs,
    },
  );
}
