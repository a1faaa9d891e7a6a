/**
 * This node's links to all others, and the door through which clients come.
 *
 * Of two nodes the one with the lower id dials; the other waits two seconds before it dials itself.
 * When both dialled at once, the connection dialled by the lower id stays, on both sides; the other
 * one is read for a little longer, because the two ends do not learn of it at the same time. After a
 * link breaks without a goodbye both dial again at once: the answer (refused, another life, nobody)
 * is the best evidence there is about what happened to the peer.
 *
 *   dial ─▶ hello ─▶ welcome ─▶ control channel ─▶ same again ─▶ data channel ─▶ up
 */
import type { NodeId } from "../../model/ids.ts";
import { LatticeError } from "../../model/error.ts";
import type { Timer } from "../../platform/platform.ts";
import type { MessageChannel, MessageHandlers } from "../../transport/message-channel.ts";
import { highWaterBytes } from "../../transport/transport.ts";
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  Transport,
} from "../../transport/transport.ts";
import { closeCodes } from "../../wire/close-codes.ts";
import type { Message, NodeIdentity } from "../../wire/messages.ts";
import { TimerSet } from "../timer-set.ts";
import type { LinkRoom } from "../partitions/outgoing.ts";
import { Dialler, type DialOutcome } from "./dialler.ts";
import { Doorkeeper, type DoorkeeperOptions } from "./doorkeeper.ts";
import type { LinkEvents, LinkEvidence } from "./link-evidence.ts";
import { LostLinks } from "./lost-links.ts";
import { PeerLink, type LinkChannel } from "./peer-link.ts";
import type { WantedPeer } from "./wanted-peer.ts";

/** The higher id waits so long for the lower one to dial. */
const politeWaitMs = 2_000;
/** A channel that lost to another one of its kind is read for so long. */
const lingerMs = 2_000;
/** A link that has one channel only after so long is given up. */
const halfLinkMs = 10_000;
/** After a refusal the next attempt has begun within this time. */
const judgedMs = 2_000;
/** A link that broke sooner than this is dialled after a back-off: at once would be for ever. */
const soundLinkMs = 1_000;

export interface LinksOptions extends Pick<
  DoorkeeperOptions,
  "platform" | "keys" | "local" | "judgeHello" | "acceptClient"
> {
  readonly transport: Transport;
  readonly events: LinkEvents;
}

export class Links {
  readonly #options: LinksOptions;
  readonly #links = new Map<NodeId, PeerLink>();
  /** Members that a link is wanted to. */
  readonly #wanted = new Map<NodeId, WantedPeer>();
  readonly #lost = new LostLinks();
  readonly #politeWaits = new Map<NodeId, Timer>();
  readonly #timers: TimerSet;
  readonly #dialler: Dialler;
  #judgedUntil = 0;
  readonly #door: Doorkeeper;
  #closed = false;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.platform.timers);
    this.#dialler = new Dialler({
      platform: options.platform,
      transport: options.transport,
      local: () => options.local(),
      done: (attempt, outcome) => {
        this.#dialled(attempt.address, attempt.kind, outcome);
      },
    });
    this.#door = new Doorkeeper({
      ...options,
      handlersFor: (peer, kind, channel) => this.#handlersFor(peer, kind, channel),
      admitted: (peer, kind, channel) => {
        this.#attach(peer, kind, channel, false);
      },
      duplicateNode: (refused) => {
        options.events.duplicateNode(refused);
      },
    });
  }

  link(node: NodeId): PeerLink | undefined {
    const link = this.#links.get(node);
    return link?.isUp === true ? link : undefined;
  }

  *upLinks(): IterableIterator<PeerLink> {
    for (const link of this.#links.values()) if (link.isUp) yield link;
  }

  /**
   * Somebody answers at an address that was dialled and has not let this node in yet: it is being
   * judged, or was refused just now.
   */
  get isBeingJudged(): boolean {
    return this.#dialler.isGreeting || this.#options.platform.clock.now() < this.#judgedUntil;
  }

  /** Connections that have not finished the hand shake. */
  get greetingCount(): number {
    return this.#door.greetingCount;
  }

  /**
   * Sends a message to a node, or drops it when there is no link.
   * @returns why it cannot be sent at all, if that is so: `too_large`, `invalid_argument`
   */
  send(node: NodeId, channel: LinkChannel, message: Message): LatticeError | undefined {
    const link = this.#links.get(node);
    // The control channel opens first, and what comes over it wants its answer: a digest that meets
    // silence leaves two nodes that held each other dead so for ever.
    if (link === undefined || (channel === "data" && !link.isUp)) return undefined;
    try {
      link.send(channel, message);
      return undefined;
    } catch (error) {
      if (error instanceof LatticeError) return error;
      throw error;
    }
  }

  /** Whether the data channel to a node takes more now; `drained` tells when it does again. */
  roomFor(node: NodeId): LinkRoom {
    const channel = this.link(node)?.data;
    if (channel === undefined) return "gone";
    if (channel.bufferedBytes <= highWaterBytes) return "room";
    // Only what the connection itself holds makes it tell when it has drained.
    channel.flush();
    return channel.bufferedBytes <= highWaterBytes ? "room" : "full";
  }

  /** The members that a link is wanted to; others keep what they have until it breaks. */
  setWanted(members: Iterable<WantedPeer>): void {
    this.#wanted.clear();
    for (const member of members) this.#wanted.set(member.id, member);
    for (const [id, wait] of this.#politeWaits) {
      if (this.#wanted.has(id)) continue;
      wait.cancel();
      this.#politeWaits.delete(id);
    }
    for (const { id, boot } of this.#lost.takeUnwanted(this.#wanted)) {
      // The broken link has to count as gone without an answer.
      this.#options.platform.timers.defer(() => {
        if (!this.#closed) this.#evidence(id, boot, "unreachable");
      });
    }
    for (const id of this.#wanted.keys()) this.#seek(id);
  }

  /** Dials an address whoever may be there; used for join addresses and the heal loop. */
  dial(address: string): void {
    if (this.#closed || this.#linkTo(address) !== undefined) return;
    this.#dialler.dial(address, "control");
  }

  /** Takes an incoming connection from the transport. */
  accept(connection: Connection): ConnectionHandlers {
    return this.#door.accept(connection);
  }

  /** Says goodbye to everybody and drops all links. */
  close(): void {
    this.#closed = true;
    this.#door.close();
    this.#dialler.close();
    for (const wait of this.#politeWaits.values()) wait.cancel();
    this.#timers.close();
    for (const link of this.#links.values()) {
      link.send("control", { type: "goodbye", reason: "leaving" });
      link.send("data", { type: "goodbye", reason: "leaving" });
      link.close(closeCodes.goingAway, "leaving");
    }
  }

  #handlersFor(peer: NodeIdentity, kind: LinkChannel, channel: MessageChannel): MessageHandlers {
    return {
      message: (message) => {
        this.#received(peer, kind, channel, message);
      },
      closed: (_code, reason) => {
        this.#lostChannel(peer, kind, channel, reason);
      },
      drain: () => {
        if (kind === "data") this.#options.events.drained(peer.id);
      },
    };
  }

  #received(
    peer: NodeIdentity,
    kind: LinkChannel,
    channel: MessageChannel,
    message: Message,
  ): void {
    const link = this.#links.get(peer.id);
    if (link?.reads(kind, channel) !== true) return;
    if (kind === "data") link.dataHeardAt = this.#options.platform.clock.now();
    if (message.type !== "goodbye") this.#options.events.message(peer, message);
    else if (message.reason === "leaving") link.goodbye = true;
  }

  #attach(
    peer: NodeIdentity,
    kind: LinkChannel,
    channel: MessageChannel,
    dialledByUs: boolean,
  ): void {
    const link = this.#linkFor(peer, !dialledByUs);
    const old = link.slot(kind);
    if (old !== undefined) {
      const lowerDials = this.#options.local().node.id < peer.id;
      if (old.dialledByUs !== dialledByUs && dialledByUs !== lowerDials) {
        this.#linger(link, channel);
        return;
      }
      this.#linger(link, old.channel);
    }
    link.set(kind, channel, dialledByUs);
    const lacksData = link.slot("data") === undefined;
    if (dialledByUs && kind === "control" && lacksData) this.#dialler.dial(peer.address, "data");
    if (!link.isUp || link.announced) return;
    link.announced = true;
    link.dataHeardAt = this.#options.platform.clock.now();
    this.#endPoliteWait(peer.id);
    this.#timers.after(soundLinkMs, () => {
      if (this.#links.get(peer.id) === link) this.#dialler.forgive(peer.address);
    });
    this.#options.events.linkUp(peer);
  }

  /** Ends a channel that lost to another one between the same two nodes, but not at once. */
  #linger(link: PeerLink, channel: MessageChannel): void {
    link.linger(channel);
    this.#timers.after(lingerMs, () => {
      channel.send({ type: "goodbye", reason: "duplicate_link" });
      channel.close(closeCodes.normal, "duplicate_link");
    });
  }

  /** The link record of this life of the peer; one of an earlier life, or lost by the peer, ends. */
  #linkFor(peer: NodeIdentity, isDialledByPeer: boolean): PeerLink {
    const known = this.#links.get(peer.id);
    const now = this.#options.platform.clock.now();
    const isSame = known?.identity.boot === peer.boot;
    // What was sent over an old one since the peer lost it is lost, and nobody would tell.
    if (isSame && !(isDialledByPeer && known.isOld(now))) return known;
    const link = new PeerLink(peer, now);
    this.#links.set(peer.id, link);
    // Links of earlier lives that broke without an answer so far are gone.
    for (const { id, boot } of this.#lost.takeEarlierLives(peer)) {
      this.#evidence(id, boot, "replaced");
    }
    this.#timers.after(halfLinkMs, () => {
      if (this.#links.get(peer.id) === link && !link.isUp) link.terminate();
    });
    if (known !== undefined) {
      if (known.announced) this.#options.events.linkDown(known.identity);
      known.terminate();
      if (!isSame) this.#evidence(peer.id, known.identity.boot, "replaced");
    }
    return link;
  }

  #lostChannel(
    peer: NodeIdentity,
    kind: LinkChannel,
    channel: MessageChannel,
    reason: CloseReason,
  ): void {
    const link = this.#links.get(peer.id);
    const was = link?.clear(kind, channel);
    if (link === undefined || was === "unknown") return;
    if (was === "lingering") {
      // It was not closed because another one won: what was sent over it is lost, as with a link.
      if (reason.type === "lost") link.terminate();
      return;
    }
    this.#links.delete(peer.id);
    const wasUp = link.announced;
    link.announced = false;
    link.terminate();
    if (wasUp) this.#options.events.linkDown(link.identity);
    if (this.#closed) return;
    if (link.goodbye) {
      this.#evidence(peer.id, peer.boot, "goodbye");
      return;
    }
    const { logger, clock } = this.#options.platform;
    logger.debug("link lost", { peer: peer.id, why: reason.message });
    if (wasUp) this.#lost.add(peer.address, link.identity);
    if (wasUp && clock.now() - link.bornAt >= soundLinkMs) {
      this.#dialler.dial(peer.address, "control");
    } else {
      this.#dialler.dialLater(peer.address);
    }
  }

  #dialled(address: string, kind: LinkChannel, outcome: DialOutcome): void {
    const { events } = this.#options;
    if (outcome.type === "welcomed") {
      this.#welcomed(address, kind, outcome);
      return;
    }
    if (outcome.type === "refused-hello") {
      const { code, message, rememberedBoot } = outcome.refused;
      if (code !== "same_node") {
        this.#judgedUntil = this.#options.platform.clock.now() + judgedMs;
      }
      if (code === "boot_too_low" && rememberedBoot !== undefined)
        events.bootTooLow(rememberedBoot);
      else events.refused(address, code, message);
    } else {
      this.#tellAbout(address, outcome.type === "nobody" ? "refused" : "unreachable");
    }
    // Half a link is none, and the other half would be there for ever.
    if (kind === "data") this.#linkTo(address)?.terminate();
    if (this.#isSought(address)) this.#dialler.dialLater(address, outcome.type === "hung-up");
  }

  #welcomed(
    address: string,
    kind: LinkChannel,
    outcome: DialOutcome & { readonly type: "welcomed" },
  ): void {
    const { peer, channel } = outcome;
    this.#tellAbout(address, "replaced", peer);
    const judgement = this.#options.judgeHello(peer);
    if (judgement.type !== "accept") {
      // Another process of that id is here, or being tested: the next dial may find it gone.
      channel.close(closeCodes.normal, "another process has this node id");
      if (this.#isSought(address)) this.#dialler.dialLater(address);
      return;
    }
    channel.become({ incoming: kind, outgoing: kind });
    outcome.adopt(this.#handlersFor(peer, kind, channel));
    this.#attach(peer, kind, channel, true);
  }

  /** What a dial says about the processes that were last seen at an address. */
  #tellAbout(address: string, evidence: LinkEvidence, answered?: NodeIdentity): void {
    const about = new Map<NodeId, WantedPeer>();
    for (const peer of this.#wanted.values())
      if (peer.address === address) about.set(peer.id, peer);
    const lost = this.#lost.at(address);
    if (lost !== undefined) about.set(lost.id, lost);
    for (const { id, boot } of about.values()) {
      const isSame = answered?.id === id && answered.boot <= boot;
      if (!isSame && this.link(id) === undefined) this.#evidence(id, boot, evidence);
    }
    if (evidence !== "unreachable") this.#lost.delete(address);
  }

  #evidence(node: NodeId, boot: number, evidence: LinkEvidence): void {
    this.#options.events.evidence(node, boot, evidence);
    this.#door.judgeAgain(node);
  }

  /** Dials a wanted member: at once when it is ours to dial, else after the polite wait. */
  #seek(id: NodeId): void {
    const peer = this.#wanted.get(id);
    if (peer === undefined || this.#closed || this.#links.has(id)) return;
    if (this.#options.local().node.id < id) {
      this.#dialler.dialSoon(peer.address);
      return;
    }
    if (this.#politeWaits.has(id)) return;
    const wait = this.#options.platform.timers.after(politeWaitMs, () => {
      this.#politeWaits.delete(id);
      const still = this.#wanted.get(id);
      if (still !== undefined && !this.#links.has(id)) this.#dialler.dialSoon(still.address);
    });
    this.#politeWaits.set(id, wait);
  }

  #endPoliteWait(id: NodeId): void {
    this.#politeWaits.get(id)?.cancel();
    this.#politeWaits.delete(id);
  }

  #linkTo(address: string): PeerLink | undefined {
    for (const link of this.#links.values()) if (link.identity.address === address) return link;
    return undefined;
  }

  #isSought(address: string): boolean {
    if (this.#closed || this.#linkTo(address) !== undefined) return false;
    for (const peer of this.#wanted.values()) if (peer.address === address) return true;
    return false;
  }
}
