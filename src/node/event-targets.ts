import type { NodeId, ProcessId } from "../model/ids.ts";
import type { Platform } from "../platform/platform.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import type { Attempts } from "./calls/attempts.ts";
import type { CallServer } from "./calls/call-server.ts";
import type { Inheritance } from "./calls/inheritance.ts";
import type { OutboxDriver } from "./calls/outbox-driver.ts";
import type { TimerDriver } from "./calls/timer-driver.ts";
import type { Birth } from "./cluster/birth.ts";
import type { ClusterDriver } from "./cluster/cluster-driver.ts";
import type { Primaries } from "./cluster/primaries.ts";
import type { Routes } from "./cluster/routes.ts";
import type { Announcer } from "./events/announcer.ts";
import type { ClockWatch } from "./events/clock-watch.ts";
import type { PartitionNews } from "./events/partition-news.ts";
import type { Links } from "./links/links.ts";
import type { SilenceWatch } from "./links/silence-watch.ts";
import type { PeerBook } from "./partitions/peer-book.ts";
import type { Partitions } from "./partitions/partitions.ts";
import type { CallDoor } from "./sessions/call-door.ts";
import type { ClientSessions } from "./sessions/client-sessions.ts";
import type { WatchServer } from "./sessions/watch-server.ts";
import type { TimerSet } from "./timer-set.ts";

/** Counted by the events. */
export interface EventCounts {
  takeovers: number;
  forksMerged: number;
  /** Entities that were deleted long ago, and forgotten by a partition that this node leads. */
  reaped: number;
  /** Changes by forks of what was reaped. */
  lateCommits: number;
}

/** The parts of a node as far as the events between them are concerned (`node-events.ts`). */
export interface EventTargets {
  readonly self: ProcessId;
  readonly foundation: {
    readonly platform: Platform;
    readonly identity: NodeIdentity;
    fatal(code: "outdated" | "duplicate_node" | "incompatible", message: string): void;
    bootTooLow(remembered: number): void;
  };
  readonly isStopped: boolean;
  wasLinked: boolean;
  readonly timers: TimerSet;
  readonly events: Announcer;
  readonly news: PartitionNews;
  readonly clockWatch: ClockWatch;
  readonly counts: EventCounts;
  readonly doors: Map<NodeId, CallDoor>;
  readonly peers: PeerBook;
  readonly links: Links;
  readonly silence: SilenceWatch;
  readonly cluster: ClusterDriver;
  readonly routes: Routes;
  readonly primaries: Primaries;
  readonly birth: Birth;
  readonly partitions: Partitions;
  readonly attempts: Attempts;
  readonly calls: CallServer;
  readonly inheritance: Inheritance;
  readonly outbox: OutboxDriver;
  readonly entityTimers: TimerDriver;
  readonly watches: WatchServer;
  readonly clients: ClientSessions;
}
