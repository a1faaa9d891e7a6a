/** Which part of a node hears of what happened in which other part. Nothing is decided here. */
import { nodeOf, processId, type NodeId, type PartitionId } from "../model/ids.ts";
import type { RoleChange } from "../replication/effect.ts";
import type { Placement } from "../ring/placement.ts";
import { unansweredRedialMs } from "./partitions/peer-book.ts";
import type { Message, NodeIdentity } from "../wire/messages.ts";
import type { ClusterEvents } from "./cluster/cluster-driver.ts";
import type { LinkEvents } from "./links/link-evidence.ts";
import type { EventTargets } from "./event-targets.ts";
import { memberEvents } from "./events/member-events.ts";
import { movedCount } from "./events/moved-count.ts";
import type { PartitionEvents } from "./partitions/partitions.ts";
import { CallDoor } from "./sessions/call-door.ts";

/** A refused hello for one of these will be refused for ever: the operator has to act. */
const hopelessRefusals = new Set(["cluster_mismatch", "settings_mismatch", "protocol_mismatch"]);

export function linkEvents(parts: EventTargets): LinkEvents {
  const { logger } = parts.foundation.platform;
  return {
    linkUp: (peer) => {
      parts.wasLinked = true;
      parts.peers.linkUp(processId(peer.id, peer.boot));
      parts.cluster.linkUp(peer);
      parts.routes.linked(peer.id, peer.boot);
      parts.links.send(peer.id, "data", parts.primaries.all());
      parts.partitions.linkUp(processId(peer.id, peer.boot));
      parts.calls.linksChanged();
    },
    linkDown: (peer) => {
      const process = processId(peer.id, peer.boot);
      parts.peers.linkDown(process);
      parts.attempts.linkLost(peer.id);
      parts.doors.get(peer.id)?.close();
      parts.doors.delete(peer.id);
      parts.partitions.linkDown(process);
      // By then an unanswered re-dial counts as a loss.
      parts.timers.after(unansweredRedialMs, () => {
        parts.partitions.peersChanged(process);
      });
    },
    evidence: (node, boot, evidence) => {
      if (!parts.peers.note(node, boot, evidence)) return;
      parts.cluster.linkLost(node, boot, evidence);
      parts.partitions.peersChanged(processId(node, boot));
    },
    message: (peer, message) => {
      if (parts.isStopped) return;
      parts.cluster.heardFrom(peer.id);
      try {
        receive(parts, peer, message);
      } catch (error) {
        // A defect of ours. The message counts as lost, which every protocol here survives.
        logger.error("a message could not be handled", {
          peer: peer.id,
          type: message.type,
          error,
        });
      }
    },
    drained: (node) => {
      const process = parts.peers.presentOf(node);
      if (process !== undefined) parts.partitions.drained(process);
    },
    bootTooLow: (remembered) => {
      parts.foundation.bootTooLow(remembered);
    },
    refused: (address, code, message) => {
      if (code === "duplicate_node") parts.foundation.fatal("duplicate_node", message);
      else if (hopelessRefusals.has(code)) {
        parts.foundation.fatal("incompatible", `${address} refused this node: ${message}`);
      } else if (code === "leaving" || code === "same_node") {
        logger.debug("a hello was refused", { address, code, message });
        if (code === "same_node") parts.birth.isSelf(address);
      } else {
        logger.warn("a hello was refused", { address, code, message });
      }
    },
    duplicateNode: (refused) => {
      parts.events.tell({ type: "node.duplicate", ...refused });
    },
  };
}

function receive(parts: EventTargets, peer: NodeIdentity, message: Message): void {
  switch (message.type) {
    case "membership":
      parts.cluster.receive(peer.id, message.message);
      return;
    case "replication":
      if (message.to === parts.self) parts.partitions.receive(message.from, message.message);
      return;
    case "call":
      doorOf(parts, peer.id).serve(message);
      return;
    case "cancel":
      parts.doors.get(peer.id)?.cancel(message.id);
      return;
    case "reply":
    case "failure":
      parts.attempts.answered(message);
      return;
    case "primaries":
      if (message.entries.length > 0) parts.birth.found();
      parts.primaries.receive(peer.id, message);
      return;
    case "echo":
      if (!message.reply) parts.links.send(peer.id, "data", { type: "echo", reply: true });
      return;
    default:
      parts.foundation.platform.logger.warn("a node sent what only clients exchange", {
        peer: peer.id,
        type: message.type,
      });
  }
}

function doorOf(parts: EventTargets, node: NodeId): CallDoor {
  let door = parts.doors.get(node);
  if (door === undefined) {
    door = new CallDoor({
      node,
      self: parts.foundation.identity.id,
      server: parts.calls,
      send: (message) => parts.links.send(node, "data", message),
    });
    parts.doors.set(node, door);
  }
  return door;
}

export function clusterEvents(parts: EventTargets): ClusterEvents {
  return {
    memberChanged: (member, previous) => {
      parts.peers.memberChanged(member);
      parts.partitions.peersChanged();
      if (parts.routes.membersChanged()) parts.clients.tableChanged();
      for (const event of memberEvents(member, previous)) parts.events.tell(event);
    },
    linkDoubtful: (node) => {
      parts.silence.doubt(node);
    },
    refuted: (accuser) => {
      parts.events.tell({ type: "node.accused", accuser });
    },
    placementChanged: (placement) => {
      const before = parts.routes.placement;
      parts.routes.setPlacement(placement);
      placementChanged(parts, placement, before);
      parts.partitions.placementChanged(placement);
      parts.clients.tableChanged();
    },
    clockSet: (aheadMs) => {
      parts.clockWatch.clockSet(aheadMs);
      parts.entityTimers.clockSet();
    },
    secondPassed: () => {
      parts.clockWatch.look();
    },
    forgotten: (by) => {
      const { id } = parts.foundation.identity;
      parts.foundation.fatal(
        "outdated",
        `${id} was declared gone on ${by}: what it held is given up and it stops; start it anew`,
      );
    },
    outdated: () => {
      const { id } = parts.foundation.identity;
      parts.foundation.fatal("outdated", `a later start of ${id} is running: this one stops`);
    },
  };
}

function placementChanged(parts: EventTargets, placement: Placement, before?: Placement): void {
  if (!parts.events.isHeard || before?.tableId === placement.tableId) return;
  parts.events.tell({
    type: "placement.changed",
    tableId: placement.tableId,
    memberCount: placement.members.length,
    movedCount: movedCount(placement, before),
  });
}

export function partitionEvents(parts: EventTargets): PartitionEvents {
  return {
    roleChanged: (partition, change) => {
      roleChanged(parts, partition, change);
    },
    committed: (partition, entities) => {
      const leads = parts.partitions.isPrimary(partition);
      if (!leads) parts.calls.partitionChanged(partition);
      for (const name of entities) {
        parts.watches.changed(name);
        if (!leads) continue;
        parts.outbox.changed(partition, name);
        parts.entityTimers.changed(partition, name);
      }
    },
    committedAlone: (partition, entity) => {
      parts.watches.changed(entity.name);
      parts.outbox.entityChanged(partition, entity);
      parts.entityTimers.entityChanged(partition, entity);
    },
    replaced: (partition) => {
      parts.watches.partitionEnded(partition);
    },
    ownersChanged: (partition) => {
      parts.clients.tableChanged();
      const replica = parts.partitions.replica(partition);
      if (replica?.owners === undefined) return;
      parts.news.ownersChanged(partition, replica.owners, replica.role === "primary");
    },
    forkMerged: (partition, commitCount) => {
      parts.counts.forksMerged += commitCount;
      parts.events.tell({ type: "fork.merged", partition, commitCount });
    },
    reaped: (count) => {
      parts.counts.reaped += count;
    },
    forkRefused: (partition, from, entities) => {
      parts.counts.lateCommits += entities.length;
      parts.events.tell({ type: "fork.refused", partition, node: nodeOf(from), entities });
    },
    diverged: (partition, primary) => {
      parts.events.tell({ type: "diverged", partition, primary });
    },
    stamped: (from, time) => {
      parts.clockWatch.observe(nodeOf(from), time);
    },
    isAwaited: (partition) => parts.calls.isAwaited(partition),
    roomFor: (to) => parts.links.roomFor(nodeOf(to)),
    send: (to, message) =>
      parts.links.send(nodeOf(to), "data", { type: "replication", from: parts.self, to, message }),
  };
}

function roleChanged(parts: EventTargets, partition: PartitionId, change: RoleChange): void {
  const { serving, term, primary } = change;
  parts.news.roleChanged(partition, change);
  if (serving === "primary" && term !== undefined) {
    if (term.number > 1) parts.counts.takeovers += 1;
    parts.primaries.lead(partition, term.number);
    parts.inheritance.began(partition);
  } else {
    parts.primaries.resign(partition);
    parts.inheritance.ended(partition);
    parts.outbox.partitionEnded(partition);
    parts.entityTimers.partitionEnded(partition);
    if (primary !== "" && primary !== parts.self && term !== undefined) {
      parts.primaries.heard(partition, nodeOf(primary), term.number);
    }
  }
  parts.watches.partitionEnded(partition);
  parts.calls.partitionChanged(partition);
  if (primary !== "") parts.birth.found();
}
