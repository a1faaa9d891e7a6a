/** How calls end, and what is left behind, in a fake cluster. */
import assert from "node:assert/strict";
import type { LatticeError } from "../../src/model/error.ts";
import type { FakeCluster } from "./fake-node.ts";

/** The error that a promise rejects with. */
export async function refusal(
  cluster: FakeCluster,
  promise: Promise<unknown>,
): Promise<LatticeError> {
  const outcome = promise.then(
    () => assert.fail("it succeeded"),
    (error: unknown) => error as LatticeError,
  );
  return cluster.time.settled(outcome);
}

/** What is left to happen after a client was closed: leaked timers show here. */
export async function assertQuiet(cluster: FakeCluster): Promise<void> {
  await cluster.time.sleep(2_000);
  assert.equal(cluster.network.connectionCount(), 0);
  assert.equal(await cluster.time.run(), "idle");
}
