/**
 * `latticework/testing`: a whole cluster in one process on virtual time, for tests of functions, and
 * the twins of clock and network that it is made of.
 */
export { createTestCluster } from "../testing/test-cluster.ts";
export type { TestCluster, TestClusterOptions, TestNode } from "../testing/test-cluster.ts";
export { SimulatedNetwork } from "../testing/simulated-network.ts";
export { VirtualTime as VirtualClock } from "../platform/virtual/virtual-time.ts";
export type { Client } from "../client/client.ts";
export type { NodeStatus } from "../node/status.ts";
