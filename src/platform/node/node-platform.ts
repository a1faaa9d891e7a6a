/** The real world of a Node.js process: nodes, and clients that run in Node. */
import { randomBytes } from "node:crypto";
// The global of this name is a getter, which takes as long as the reading.
import { performance } from "node:perf_hooks";
import type { Clock, Logger, LogLevel, NodePlatform } from "../platform.ts";
import { randomFrom } from "../seeded-random.ts";
import { traceIdsFrom } from "../trace-ids.ts";
import { uniqueIds } from "../unique-ids.ts";
import { nodeLoopDelay } from "./node-loop-delay.ts";
import { nodeTimers } from "./node-timers.ts";
import { pinoLogger } from "./pino-logger.ts";

export interface NodePlatformOptions {
  /** @default "info" */
  readonly logLevel?: LogLevel | "silent";
  /** Instead of JSON lines on stderr. */
  readonly logger?: Logger;
}

export interface RealPlatform extends NodePlatform {
  /** Stops sampling the event loop. Timers belong to whoever started them. */
  close(): void;
}

export function nodePlatform(options: NodePlatformOptions = {}): RealPlatform {
  const loopDelay = nodeLoopDelay();
  return {
    clock: nodeClock,
    timers: nodeTimers(nodeClock),
    random: randomFromSystem(),
    ids: uniqueIds,
    logger: options.logger ?? pinoLogger({ level: options.logLevel ?? "info" }),
    loopDelay,
    traceIds: traceIdsFrom(randomFromSystem()),
    close() {
      loopDelay.close();
    },
  };
}

const nodeClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
};

function randomFromSystem(): ReturnType<typeof randomFrom> {
  const bytes = randomBytes(16);
  return randomFrom([
    bytes.readInt32LE(0),
    bytes.readInt32LE(4),
    bytes.readInt32LE(8),
    bytes.readInt32LE(12),
  ]);
}
