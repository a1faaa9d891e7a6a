/**
 * Starts a node as `startNode` of `latticework/node` does, from the same parts, and keeps hold of
 * its insides: the process that started it may ask what this process itself holds. Such a node may
 * have fewer partitions than `startNode` allows, for smokes, and be killed as often as a proof likes.
 */
import type { NodeOptions } from "latticework/node";
import type { LatticeNode } from "../../src/node/lattice-node.ts";
import { LatticeError } from "../../src/model/error.ts";
import { restartsMax } from "../../src/membership/soundness.ts";
import { ThreadPool } from "../../src/node/compute/thread-pool.ts";
import { launchNode } from "../../src/node/launch.ts";
import { checkNodeOptions } from "../../src/node/options.ts";
import { defaultPartitionCount, isPartitionCount } from "../../src/ring/partition.ts";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { maxPartitionCount } from "../../src/routing/routing-table.ts";
import { WebSocketTransport } from "../../src/transport/node/websocket-transport.ts";
import { ReroutedTransport } from "./rerouted-transport.ts";

export interface Inspected {
  /** Addresses that this node reaches by another way; see `ReroutedTransport`. */
  readonly ways: ReadonlyMap<string, string>;
  /** A power of two, the same on all nodes. @default 1024 */
  readonly partitionCount?: number;
  /** Whether it takes no partitions for a while when it was killed too often lately. @default true */
  readonly rests?: boolean;
}

/** @throws LatticeError as `startNode` does, and `invalid_argument` for so many partitions */
export async function launchInspectable(
  options: NodeOptions,
  { ways, partitionCount = defaultPartitionCount, rests = true }: Inspected,
): Promise<LatticeNode> {
  checkPartitionCount(partitionCount);
  const membership = rests ? undefined : { flapCountMin: restartsMax + 1 };
  const settings = { ...checkNodeOptions(options), partitionCount, membership };
  const { logger = "info" } = options;
  const platform = nodePlatform(typeof logger === "string" ? { logLevel: logger } : { logger });
  const transport = new ReroutedTransport(new WebSocketTransport(platform.timers), ways);
  const compute = new ThreadPool({ logger: platform.logger });
  const world = { platform, transport, compute };
  const node = await launchNode(settings, world).catch((error: unknown) => {
    platform.close();
    throw error;
  });
  void node.stopped.then(() => {
    platform.close();
    return compute.close();
  });
  return node;
}

function checkPartitionCount(count: number): void {
  if (isPartitionCount(count) && count <= maxPartitionCount) return;
  const range = `a power of two, at most ${maxPartitionCount.toLocaleString("en-US")}`;
  throw new LatticeError("invalid_argument", `partitions must be ${range}, got ${String(count)}`);
}
