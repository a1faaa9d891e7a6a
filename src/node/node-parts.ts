/**
 * The parts of one node, put together. They know each other only through small interfaces; where
 * two need each other, the later one is reached through a function.
 *
 *   links ──▶ cluster (membership) ──▶ placement ──▶ partitions ──▶ primaries, routes ──▶ clients
 *     └─────▶ calls ──▶ turns ──▶ store ──▶ partitions ──▶ answers, outboxes, watches
 */
import { decodeValue, encodeValue } from "../codec/value-bytes.ts";
import { Registry } from "../functions/registry.ts";
import { Turns } from "../functions/turns.ts";
import { majority } from "../model/acks.ts";
import { processId, type NodeId, type ProcessId } from "../model/ids.ts";
import type { Platform } from "../platform/platform.ts";
import type { Listener, Transport } from "../transport/transport.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import { Attempts } from "./calls/attempts.ts";
import { CallServer } from "./calls/call-server.ts";
import { NodeCaller } from "./calls/node-caller.ts";
import { OutboxDriver } from "./calls/outbox-driver.ts";
import { Birth } from "./cluster/birth.ts";
import { ClusterDriver } from "./cluster/cluster-driver.ts";
import { Primaries } from "./cluster/primaries.ts";
import { Routes, type RouteMember } from "./cluster/routes.ts";
import { welcomeFor } from "./links/handshake.ts";
import { Links } from "./links/links.ts";
import { clusterEvents, linkEvents, partitionEvents } from "./node-events.ts";
import type { NodeSettings } from "./options.ts";
import { ackTimeoutMs, EntityStore } from "./partitions/entity-store.ts";
import { PeerBook } from "./partitions/peer-book.ts";
import { Partitions } from "./partitions/partitions.ts";
import type { CallDoor } from "./sessions/call-door.ts";
import { ClientSessions } from "./sessions/client-sessions.ts";
import { WatchServer } from "./sessions/watch-server.ts";

/** What a node stands on. */
export interface NodeFoundation {
  readonly platform: Platform;
  readonly transport: Transport;
  /** Where it listens already. */
  readonly listener: Listener;
  readonly identity: NodeIdentity;
  /** Something happened that this process cannot live on with. */
  fatal(code: "outdated" | "duplicate_node" | "incompatible", message: string): void;
}

/** Counted by the events. */
export interface EventCounts {
  takeovers: number;
  forksMerged: number;
}

export class NodeParts {
  readonly settings: NodeSettings;
  readonly foundation: NodeFoundation;
  readonly self: ProcessId;
  readonly peers: PeerBook;
  readonly links: Links;
  readonly cluster: ClusterDriver;
  readonly routes: Routes;
  readonly primaries: Primaries;
  readonly birth: Birth;
  readonly partitions: Partitions;
  readonly turns: Turns;
  readonly attempts: Attempts;
  readonly calls: CallServer;
  readonly caller: NodeCaller;
  readonly outbox: OutboxDriver;
  readonly watches: WatchServer;
  readonly clients: ClientSessions;
  /** Calls in flight that came over each link. */
  readonly doors = new Map<NodeId, CallDoor>();
  readonly counts: EventCounts = { takeovers: 0, forksMerged: 0 };

  constructor(settings: NodeSettings, foundation: NodeFoundation) {
    this.settings = settings;
    this.foundation = foundation;
    const { platform, transport, identity } = foundation;
    const { partitionCount, cluster } = settings;
    const self = identity.id;
    const acksDefault = settings.acks ?? majority(settings.replicas);
    const registry = new Registry(settings.functions);
    this.self = processId(identity.id, identity.boot);
    this.links = new Links({
      platform,
      transport,
      events: linkEvents(this),
      local: () => ({ cluster, node: identity }),
      judgeHello: (peer) => this.cluster.judgeHello(peer),
      acceptClient: (channel, hello) => this.clients.accept(channel, hello),
    });
    this.peers = new PeerBook(
      this.self,
      () => platform.clock.now(),
      (node) => this.links.link(node)?.dataHeardAt,
    );
    this.cluster = new ClusterDriver({
      platform,
      self: identity,
      join: settings.join,
      links: this.links,
      events: clusterEvents(this),
      ...(settings.membership === undefined ? {} : { settings: settings.membership }),
    });
    this.routes = new Routes({
      partitionCount,
      catalogue: registry.catalogue(acksDefault),
      members: () => this.#routable(),
    });
    this.primaries = new Primaries({
      self,
      timers: platform.timers,
      routes: this.routes,
      broadcast: (message) => {
        for (const link of this.links.upLinks()) link.send("data", message);
      },
      changed: () => {
        this.clients.tableChanged();
      },
    });
    this.partitions = new Partitions({
      platform,
      self: this.self,
      partitionCount,
      peers: this.peers,
      events: partitionEvents(this),
    });
    this.attempts = new Attempts(this.links);
    const around = {
      self,
      platform,
      partitionCount,
      registry,
      serving: this.partitions,
      routes: this.routes,
      links: this.links,
      attempts: this.attempts,
    };
    this.caller = new NodeCaller({ ...around, turns: () => this.turns });
    this.turns = new Turns({
      registry,
      store: new EntityStore(this.partitions, platform.clock),
      calls: this.caller,
      values: { encode: encodeValue, decode: decodeValue },
      platform,
      settings: { acksDefault, replicas: settings.replicas, exposeErrors: true, ackTimeoutMs },
    });
    this.calls = new CallServer({
      ...around,
      clock: platform.clock,
      turns: this.turns,
      otherTable: (node) => {
        this.cluster.compareWith(node);
      },
    });
    this.outbox = new OutboxDriver({
      platform,
      registry,
      turns: this.turns,
      caller: this.caller,
      partitions: this.partitions,
    });
    this.watches = new WatchServer({
      tag: `${identity.boot.toString(36)}${platform.ids.unique().slice(0, 6)}`,
      platform,
      partitionCount,
      registry,
      turns: this.turns,
      source: {
        isServing: (partition) => this.partitions.isServing(partition),
        visible: (partition, name) => this.partitions.visible(partition, name),
        primaryOf: (partition) => this.routes.primaryOf(partition),
      },
      send: (link, message) => this.clients.send(link, message),
    });
    this.clients = new ClientSessions({
      self,
      platform,
      routes: this.routes,
      calls: this.calls,
      watches: () => this.watches,
      welcome: (hello) => welcomeFor({ cluster, node: identity }, hello),
    });
    this.birth = new Birth({
      platform,
      self,
      hasJoinAddresses: settings.join.some((address) => address !== identity.address),
      joinWaitMs: settings.joinWaitMs,
      minNodes: settings.minNodes,
      aliveNodes: () => this.aliveNodes(),
      create: (genesis) => {
        platform.logger.info("created the cluster", { cluster, genesis });
        this.partitions.birth(genesis);
      },
    });
  }

  /** Members held alive, this node included. */
  aliveNodes(): readonly NodeId[] {
    return [...this.cluster.members.values()]
      .filter((member) => member.status === "alive")
      .map((member) => member.id);
  }

  /** Whether somebody else is alive who does not leave. */
  hasStayingPeer(): boolean {
    for (const member of this.cluster.members.values()) {
      if (member.id === this.foundation.identity.id) continue;
      if (member.status === "alive" && !member.leaving) return true;
    }
    return false;
  }

  /** Everybody whom a client may have to dial. */
  #routable(): readonly RouteMember[] {
    return [...this.cluster.members.values()].filter(
      (member) => member.status === "alive" || member.status === "suspect",
    );
  }
}
