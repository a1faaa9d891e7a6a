/**
 * The parts of one node, put together. They know each other only through small interfaces; where
 * two need each other, the later one is reached through a function.
 *
 *   links ──▶ cluster (membership) ──▶ placement ──▶ partitions ──▶ primaries, routes ──▶ clients
 *     └─────▶ calls ──▶ turns ──▶ store ──▶ partitions ──▶ answers, outboxes, watches
 */
import { decodeValue, encodeValue } from "../codec/value-bytes.ts";
import type { Compute } from "../functions/ports.ts";
import { Registry } from "../functions/registry.ts";
import { Turns } from "../functions/turns.ts";
import { ClusterClock } from "../membership/cluster-clock.ts";
import { majority, type Acks } from "../model/acks.ts";
import { nodeOf, processId, type BootId, type NodeId, type ProcessId } from "../model/ids.ts";
import { hybridTicksPerMs, hybridTimeToMs, type HybridTime } from "../model/time.ts";
import type { NodePlatform } from "../platform/platform.ts";
import { retireAtDefault } from "../state/retirement.ts";
import type { Listener, Transport } from "../transport/transport.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import { Addresses } from "./calls/addresses.ts";
import { Attempts } from "./calls/attempts.ts";
import { CallServer } from "./calls/call-server.ts";
import { Farewells } from "./calls/farewells.ts";
import { NodeCaller, type NodeCallerOptions } from "./calls/node-caller.ts";
import { Inheritance } from "./calls/inheritance.ts";
import { OutboxDriver } from "./calls/outbox-driver.ts";
import { TimerDriver } from "./calls/timer-driver.ts";
import { Birth } from "./cluster/birth.ts";
import { ClusterDriver } from "./cluster/cluster-driver.ts";
import { Primaries } from "./cluster/primaries.ts";
import { Routes, type RouteMember } from "./cluster/routes.ts";
import { aliveNodes } from "./living.ts";
import { welcomeFor, type LocalIdentity } from "./links/handshake.ts";
import { Links } from "./links/links.ts";
import { SilenceWatch } from "./links/silence-watch.ts";
import type { EventCounts, EventTargets } from "./event-targets.ts";
import { Announcer } from "./events/announcer.ts";
import type { EventFeed } from "./events/event-feed.ts";
import { ClockWatch } from "./events/clock-watch.ts";
import { EventLog } from "./events/event-log.ts";
import { PartitionNews } from "./events/partition-news.ts";
import { ReplicationWatch } from "./events/replication-watch.ts";
import { clusterEvents, linkEvents, partitionEvents } from "./node-events.ts";
import type { NodeSettings } from "./options.ts";
import { ackTimeoutMs, EntityStore } from "./partitions/entity-store.ts";
import { PeerBook } from "./partitions/peer-book.ts";
import { Partitions, tombstoneMs } from "./partitions/partitions.ts";
import type { CallDoor } from "./sessions/call-door.ts";
import { ClientSessions } from "./sessions/client-sessions.ts";
import { WatchServer } from "./sessions/watch-server.ts";
import { TimerSet } from "./timer-set.ts";
import { underReplicated } from "./under-replicated.ts";

/** What a node stands on. */
export interface NodeFoundation {
  readonly platform: NodePlatform;
  readonly transport: Transport;
  readonly compute: Compute;
  /** Where it listens already. */
  readonly listener: Listener;
  readonly identity: NodeIdentity;
  /** Who reads what happens to the node. */
  readonly feed: EventFeed;
  /** A later start of this node is remembered by others: this boot id may not be used. */
  bootTooLow(remembered: BootId): void;
  /** Something happened that this process cannot live on with. */
  fatal(code: "outdated" | "duplicate_node" | "incompatible", message: string): void;
}

export class NodeParts implements EventTargets {
  readonly settings: NodeSettings;
  readonly foundation: NodeFoundation;
  readonly self: ProcessId;
  readonly registry: Registry;
  readonly peers: PeerBook;
  readonly links: Links;
  readonly silence: SilenceWatch;
  readonly cluster: ClusterDriver;
  readonly routes: Routes;
  readonly primaries: Primaries;
  readonly birth: Birth;
  readonly partitions: Partitions;
  readonly turns: Turns;
  readonly attempts: Attempts;
  readonly calls: CallServer;
  readonly caller: NodeCaller;
  readonly farewells: Farewells;
  readonly inheritance: Inheritance;
  readonly outbox: OutboxDriver;
  readonly entityTimers: TimerDriver;
  readonly watches: WatchServer;
  readonly clients: ClientSessions;
  /** Calls in flight that came over each link. */
  readonly doors = new Map<NodeId, CallDoor>();
  readonly counts: EventCounts = {
    takeovers: 0,
    forksMerged: 0,
    reaped: 0,
    lateCommits: 0,
  };
  /** What ends with this node and belongs to no part. */
  readonly timers: TimerSet;
  readonly events: Announcer;
  readonly news: PartitionNews;
  readonly replicationWatch: ReplicationWatch;
  readonly clockWatch: ClockWatch;
  /** The time of the cluster, as this node has it. */
  readonly clusterClock: ClusterClock;
  /** A link to another node has been up. */
  wasLinked = false;
  readonly #addresses: Addresses;
  readonly #acksDefault: Acks;
  #isStopped = false;

  constructor(settings: NodeSettings, foundation: NodeFoundation) {
    const { platform, identity } = foundation;
    this.settings = settings;
    this.foundation = foundation;
    this.self = processId(identity.id, identity.boot);
    this.#acksDefault = settings.acks ?? majority(settings.replicas);
    this.registry = new Registry(settings.functions);
    this.#addresses = new Addresses(settings.partitionCount);
    this.timers = new TimerSet(platform.timers);
    const log = new EventLog(this.timers, platform.logger);
    this.events = new Announcer(platform.clock, log, foundation.feed);
    this.news = new PartitionNews(this.events);
    this.clusterClock = new ClusterClock(platform.clock.now(), platform.clock.wallNow());
    this.clockWatch = this.#makeClockWatch();
    this.replicationWatch = this.#makeReplicationWatch();
    this.links = this.#makeLinks();
    this.peers = new PeerBook(
      this.self,
      () => platform.clock.now(),
      (node) => this.links.link(node)?.dataHeardAt,
    );
    this.silence = this.#watchSilence();
    this.cluster = new ClusterDriver({
      platform,
      self: identity,
      join: settings.join,
      clock: this.clusterClock,
      links: this.links,
      events: clusterEvents(this),
      ...(settings.membership === undefined ? {} : { settings: settings.membership }),
    });
    this.routes = new Routes({
      partitionCount: settings.partitionCount,
      catalogue: this.registry.catalogue(this.#acksDefault),
      members: () => this.#routable(),
    });
    this.primaries = this.#makePrimaries();
    this.partitions = this.#makePartitions();
    this.attempts = new Attempts(this.links);
    const { clusterClock } = this;
    const later = { turns: () => this.turns, server: () => this.calls };
    this.caller = new NodeCaller({ ...this.#around(), clusterClock, ...later });
    this.turns = this.#makeTurns();
    this.calls = new CallServer({
      ...this.#around(),
      ...{ clock: platform.clock, timers: platform.timers },
      ...{ turns: this.turns, caller: this.caller, replicas: settings.replicas },
      wayTo: (partition) => nodeOf(this.partitions.replica(partition)?.wayToPrimary ?? ""),
      otherTable: (node) => {
        this.cluster.compareWith(node);
      },
    });
    const { turns, caller, partitions, events } = this;
    const driven = { platform, turns, addresses: this.#addresses, partitions, events };
    this.farewells = new Farewells(caller, platform.logger);
    const sending = { registry: this.registry, caller, farewells: this.farewells };
    this.outbox = new OutboxDriver({ ...driven, ...sending, buggify: settings.buggify });
    const clusterNow = (): number =>
      hybridTimeToMs(this.clusterClock.reading(platform.clock.now()));
    this.entityTimers = new TimerDriver({ ...driven, clusterNow });
    const heirs = [this.outbox, this.entityTimers];
    this.inheritance = new Inheritance({ timers: this.timers, partitions, heirs });
    this.watches = this.#makeWatches();
    this.clients = this.#makeClients();
    this.birth = this.#makeBirth();
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Begins to look for the others. */
  start(): void {
    this.cluster.start();
    this.birth.start();
    this.partitions.start();
    this.silence.start();
    if (this.events.isHeard) this.replicationWatch.start();
  }

  /** Ends everything in flight and drops all links; nothing of these parts runs afterwards. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.birth.stop();
    this.entityTimers.stop();
    this.turns.stop();
    this.caller.close();
    this.outbox.stop();
    this.farewells.stop();
    this.watches.stop();
    this.calls.close();
    this.clients.close();
    this.cluster.stop();
    this.partitions.stop();
    this.links.close();
    this.events.flush();
    this.timers.close();
  }

  /** Everybody whom a client may have to dial. */
  #routable(): readonly RouteMember[] {
    return [...this.cluster.members.values()].filter(
      (member) => member.status === "alive" || member.status === "suspect",
    );
  }

  #makeClockWatch(): ClockWatch {
    const { platform, identity } = this.foundation;
    const { clusterClock, events } = this;
    return new ClockWatch({ self: identity.id, clock: platform.clock, clusterClock, events });
  }

  #makeReplicationWatch(): ReplicationWatch {
    return new ReplicationWatch({
      timers: this.timers,
      events: this.events,
      underReplicated: () => underReplicated(this),
    });
  }

  #makeLinks(): Links {
    const { platform, transport } = this.foundation;
    return new Links({
      platform,
      transport,
      keys: this.#addresses.keys,
      events: linkEvents(this),
      local: () => this.#local(),
      judgeHello: (peer) => this.cluster.judgeHello(peer),
      acceptClient: (channel, hello) => this.clients.accept(channel, hello),
    });
  }

  #watchSilence(): SilenceWatch {
    const { timers, links, peers } = this;
    return new SilenceWatch({
      clock: this.foundation.platform.clock,
      timers,
      links,
      members: () => this.cluster.members.values(),
      isLost: (process) => peers.linked(process) && peers.lost(process),
      suspectsWaited: () => {
        this.partitions.peersChanged();
      },
    });
  }

  #makePrimaries(): Primaries {
    return new Primaries({
      self: this.foundation.identity.id,
      timers: this.timers,
      routes: this.routes,
      broadcast: (message) => {
        for (const link of this.links.upLinks()) link.send("data", message);
      },
      changed: (partition) => {
        this.clients.tableChanged();
        this.calls.partitionChanged(partition);
      },
    });
  }

  #makeTurns(): Turns {
    const { platform, compute } = this.foundation;
    const { replicas, exposeErrors, buggify } = this.settings;
    const retireAt = buggify?.retireAt ?? retireAtDefault;
    return new Turns({
      registry: this.registry,
      store: new EntityStore(this.partitions, platform.clock, this.clusterClock),
      calls: this.caller,
      compute,
      values: { encode: encodeValue, decode: decodeValue },
      platform,
      settings: { acksDefault: this.#acksDefault, replicas, exposeErrors, ackTimeoutMs, retireAt },
    });
  }

  #makeWatches(): WatchServer {
    const { platform, identity } = this.foundation;
    return new WatchServer({
      tag: `${identity.boot.toString(36)}${platform.ids.unique().slice(0, 6)}`,
      platform,
      addresses: this.#addresses,
      registry: this.registry,
      turns: this.turns,
      source: {
        isServing: (partition) => this.partitions.isServing(partition),
        visible: (partition, name) => this.partitions.visible(partition, name),
        primaryOf: (partition) => this.routes.primaryOf(partition),
      },
      send: (link, message) => this.clients.send(link, message),
    });
  }

  #makeClients(): ClientSessions {
    const { platform, identity } = this.foundation;
    return new ClientSessions({
      self: identity.id,
      platform,
      routes: this.routes,
      calls: this.calls,
      farewells: this.farewells,
      watches: () => this.watches,
      welcome: (hello) => welcomeFor(this.#local(), hello),
    });
  }

  #makePartitions(): Partitions {
    const { settings, foundation, self, peers } = this;
    const { partitionCount, replicas, buggify } = settings;
    return new Partitions({
      ...{ platform: foundation.platform, self, partitionCount, replicas, peers, buggify },
      reapBefore: () => this.#reapBefore(),
      isBusy: (entity) => this.turns.queuedCount(entity) > 0,
      events: partitionEvents(this),
    });
  }

  #reapBefore(): HybridTime {
    const { settings, foundation, clusterClock } = this;
    const graceMs = settings.buggify?.tombstoneMs ?? tombstoneMs;
    const now = foundation.platform.clock.now();
    return clusterClock.reading(now) - graceMs * hybridTicksPerMs;
  }

  #makeBirth(): Birth {
    const { platform, identity } = this.foundation;
    const { join, joinWaitMs, minNodes, cluster } = this.settings;
    return new Birth({
      platform,
      self: identity.id,
      joinAddresses: join.filter((address) => address !== identity.address),
      joinWaitMs,
      minNodes,
      aliveNodes: () => aliveNodes(this.cluster.members),
      isBeingJudged: () => this.links.isBeingJudged,
      isLinked: (node) => this.links.link(node) !== undefined,
      create: (genesis) => {
        platform.logger.info("created the cluster", { cluster, genesis });
        this.#warnIfAlone();
        this.cluster.created();
        this.partitions.birth(genesis);
      },
    });
  }

  /** It was told to join others, and found nobody. */
  #warnIfAlone(): void {
    const { settings, foundation } = this;
    const others = this.birth.elsewhere;
    if (others.length === 0 || aliveNodes(this.cluster.members).length > 1) return;
    foundation.platform.logger.warn(
      `none of ${others.join(", ")} answered in ${settings.joinWaitMs} ms: serving alone, and ` +
        "joining when one does; start a node there or correct --join",
    );
  }

  #local(): LocalIdentity {
    return { cluster: this.settings.cluster, node: this.foundation.identity };
  }

  /** What both the server and the caller of calls stand among. */
  #around(): Omit<NodeCallerOptions, "turns" | "clusterClock" | "server"> {
    return {
      self: this.foundation.identity.id,
      platform: this.foundation.platform,
      addresses: this.#addresses,
      registry: this.registry,
      serving: this.partitions,
      routes: this.routes,
      links: this.links,
      attempts: this.attempts,
      partitionCount: this.settings.partitionCount,
    };
  }
}
