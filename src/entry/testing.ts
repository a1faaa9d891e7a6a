/**
 * `latticework/testing`: a whole cluster in one process on virtual time, for tests of functions; the
 * twins of clock and network that it is made of; and the suites that all clocks and transports pass.
 */
export { createTestCluster } from "../testing/test-cluster.ts";
export type { TestCluster, TestClusterOptions, TestNode } from "../testing/test-cluster.ts";
export { SimulatedNetwork } from "../testing/simulated-network.ts";
export { VirtualTime as VirtualClock } from "../platform/virtual/virtual-time.ts";
export { clockConformance } from "../testing/conformance/clock.ts";
export { transportConformance } from "../testing/conformance/transport.ts";
export type { ClockSubject } from "../testing/conformance/clock.ts";
export type { ConformanceCase } from "../testing/conformance/conformance-case.ts";
export type { TransportSubject } from "../testing/conformance/transport-subject.ts";
export type { Client } from "../client/client.ts";
export type { FailedSend, FailedSendFilter } from "../node/failed-send.ts";
export type { NodeEvent } from "../node/events/node-event.ts";
export type { NodeStats, StatsOptions } from "../node/stats.ts";
export type { NodeStatus } from "../node/status.ts";
export type { FrameTap } from "../testing/simulated-network.ts";
export type {
  RunOptions,
  RunOutcome,
  VirtualTimeOptions,
} from "../platform/virtual/virtual-time.ts";
export type { VirtualNode } from "../platform/virtual/virtual-node.ts";
export type {
  Clock,
  Ids,
  LoopDelay,
  NodePlatform,
  Platform,
  Timer,
  Timers,
  TraceIds,
} from "../platform/platform.ts";
export type { Random } from "../model/random.ts";
export type { MemoryNetwork } from "../transport/memory-network.ts";
export type { LinkModel } from "../transport/memory-pipe.ts";
export type {
  Accept,
  CloseReason,
  Connection,
  ConnectionHandlers,
  DialOptions,
  Listener,
  ListenOptions,
  Transport,
} from "../transport/transport.ts";
