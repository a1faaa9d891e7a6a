/**
 * Brings a node up on a given world: binds its port, settles who it is, and waits until it serves.
 * The real entry and the simulator both come through here.
 */
import type { Functions } from "../definition/function-definition.ts";
import type { Compute } from "../functions/ports.ts";
import { LatticeError } from "../model/error.ts";
import type { BootId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { randomBelow } from "../model/random.ts";
import { loadedYjs, loadYjs } from "../state/yjs.ts";
import type { NodePlatform } from "../platform/platform.ts";
import { placementVersion } from "../ring/placement.ts";
import type { Connection, ConnectionHandlers, Transport } from "../transport/transport.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import { LatticeNode } from "./lattice-node.ts";
import type { NodeSettings } from "./options.ts";

/** Wall clock in milliseconds times this plus a random part: rises with every start. */
const bootsPerMs = 1_024;

export interface NodeWorld {
  readonly platform: NodePlatform;
  readonly transport: Transport;
  /** Whoever made it closes it when the node has stopped. */
  readonly compute: Compute;
}

/**
 * Starts a node. Resolves when it is ready.
 * @throws LatticeError `failed_precondition` (port in use, node id in use), `incompatible` (a join
 *   address belongs to another cluster), `permission_denied` (an address that is not loopback)
 */
export async function launchNode(settings: NodeSettings, world: NodeWorld): Promise<LatticeNode> {
  const { node, failed } = await beginNode(settings, world);
  const outcome = await Promise.race([node.whenReady(), failed]);
  if (outcome instanceof LatticeError) {
    await node.stop();
    throw outcome;
  }
  void failed.then((error) => {
    world.platform.logger.error(error.message, { code: error.code });
    return node.stop();
  });
  return node;
}

/** As `launchNode`, but returns at once; `failed` resolves if the node cannot live on. */
export async function beginNode(
  settings: NodeSettings,
  { platform, transport, compute }: NodeWorld,
): Promise<{ readonly node: LatticeNode; readonly failed: Promise<LatticeError> }> {
  // Even what is loaded costs turns of the real event loop, which a simulated start must not take.
  if (hasDocuments(settings.functions) && loadedYjs() === undefined) await loadYjs();
  // Connections that come before the node is put together wait for it here.
  let accept: ((connection: Connection) => ConnectionHandlers) | undefined;
  const { host, port } = settings;
  const listener = await transport.listen(
    { host, port, maxFirstFrameBytes: limits.helloFrameBytesMax },
    (incoming) => (accept === undefined ? refuseEarly(incoming) : accept(incoming)),
  );
  let fail!: (error: LatticeError) => void;
  const failed = new Promise<LatticeError>((resolve) => (fail = resolve));
  try {
    const identity = identityOf(settings, listener.address, platform);
    const node = new LatticeNode(settings, {
      platform,
      transport,
      compute,
      listener,
      identity,
      fatal: (code, message) => {
        fail(new LatticeError(code === "incompatible" ? code : "failed_precondition", message));
      },
    });
    accept = (connection) => node.accept(connection);
    node.start();
    return { node, failed };
  } catch (error) {
    await listener.close();
    throw error;
  }
}

function identityOf(settings: NodeSettings, bound: string, platform: NodePlatform): NodeIdentity {
  const address = settings.advertise ?? bound;
  return {
    id: settings.nodeId ?? address.slice(address.indexOf("//") + 2),
    boot: newBootId(platform),
    address,
    zone: settings.zone,
    weight: settings.weight,
    settings: {
      partitionCount: settings.partitionCount,
      replicas: settings.replicas,
      placementVersion,
    },
  };
}

/** Documents need Yjs, which is loaded before the first turn because turns are synchronous. */
function hasDocuments(functions: Functions): boolean {
  return Object.values(functions).some(({ state }) =>
    Object.values(state).some(({ kind }) => kind === "text"),
  );
}

function newBootId({ clock, random }: NodePlatform): BootId {
  return Math.floor(clock.wallNow()) * bootsPerMs + randomBelow(random, bootsPerMs);
}

function refuseEarly(connection: Connection): ConnectionHandlers {
  connection.terminate();
  return {
    frame: () => {
      return;
    },
    close: () => {
      return;
    },
  };
}
