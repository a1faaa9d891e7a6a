/**
 * This node's links to all others, and the door through which clients come.
 *
 * Of two nodes the one with the lower id dials; the other waits two seconds before it dials itself.
 * When both dialled at once, the connection dialled by the lower id stays, on both sides. After a
 * link breaks without a goodbye both dial again at once: the answer (refused, another life, nobody)
 * is the best evidence there is about what happened to the peer.
 *
 *   dial ─▶ hello ─▶ welcome ─▶ control channel ─▶ same again ─▶ data channel ─▶ up
 */
import type { BootId, NodeId } from "../../model/ids.ts";
import type { Platform, Timer } from "../../platform/platform.ts";
import type { HelloJudgement } from "../../membership/hello-judgement.ts";
import { MessageChannel, type MessageHandlers } from "../../transport/message-channel.ts";
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  Transport,
} from "../../transport/transport.ts";
import { closeCodes } from "../../wire/close-codes.ts";
import { nodeFrameLimits } from "../../wire/link-codec.ts";
import type { HelloMessage, Message, NodeIdentity, RefusedMessage } from "../../wire/messages.ts";
import { Dialler, type DialOutcome } from "./dialler.ts";
import { agree } from "../../wire/agreement.ts";
import { refusal, refusalOf, welcomeFor, type LocalIdentity } from "./handshake.ts";
import type { LinkEvents, LinkEvidence } from "./link-evidence.ts";
import { PeerLink, type LinkChannel } from "./peer-link.ts";

/** The higher id waits so long for the lower one to dial. */
const politeWaitMs = 2_000;
/** How long an accepted connection may stay silent before it must have said hello. */
const helloDeadlineMs = 5_000;

/** One life of a node and where it can be dialled. */
export interface WantedPeer {
  readonly id: NodeId;
  readonly boot: BootId;
  readonly address: string;
}

export interface LinksOptions {
  readonly platform: Platform;
  readonly transport: Transport;
  readonly events: LinkEvents;
  local(): LocalIdentity;
  /** Whether a node that says hello may be who it says it is. */
  judgeHello(peer: NodeIdentity): HelloJudgement;
  /** A client said hello; what it says next goes to the handlers returned, or it is refused. */
  acceptClient(channel: MessageChannel, hello: HelloMessage): MessageHandlers | undefined;
}

export class Links {
  readonly #options: LinksOptions;
  readonly #links = new Map<NodeId, PeerLink>();
  /** Members that a link is wanted to. */
  readonly #wanted = new Map<NodeId, WantedPeer>();
  /** Processes whose link broke and about whom the next dial will tell, by address. */
  readonly #lost = new Map<string, WantedPeer>();
  readonly #politeWaits = new Map<NodeId, Timer>();
  readonly #timers = new Set<Timer>();
  readonly #dialler: Dialler;
  #closed = false;

  constructor(options: LinksOptions) {
    this.#options = options;
    this.#dialler = new Dialler({
      platform: options.platform,
      transport: options.transport,
      local: () => options.local(),
      done: (address, outcome) => {
        this.#dialled(address, outcome);
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

  send(node: NodeId, channel: LinkChannel, message: Message): void {
    const link = this.#links.get(node);
    if (link?.isUp === true) link.send(channel, message);
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
    for (const id of this.#wanted.keys()) this.#seek(id);
  }

  /** Dials an address whoever may be there; used for join addresses and the heal loop. */
  dial(address: string): void {
    if (this.#closed || this.#hasLinkTo(address)) return;
    this.#dialler.dial(address, "control");
  }

  /** Takes an incoming connection from the transport. */
  accept(connection: Connection): ConnectionHandlers {
    let next: MessageHandlers | undefined;
    const deadline = this.#after(helloDeadlineMs, () => {
      channel.close(closeCodes.handshake, "no hello within 5 s");
    });
    const { channel, events } = MessageChannel.accept(connection, {
      timers: this.#options.platform.timers,
      limits: nodeFrameLimits,
      handlers: {
        message: (message) => {
          if (next !== undefined) {
            next.message(message);
            return;
          }
          this.#settle(deadline);
          if (message.type === "hello") next = this.#greet(channel, message);
          else channel.close(closeCodes.handshake, "the first message must be hello");
        },
        closed: (code, reason) => {
          this.#settle(deadline);
          next?.closed(code, reason);
        },
        drain: () => next?.drain?.(),
      },
    });
    return events;
  }

  /** Says goodbye to everybody and drops all links. */
  close(): void {
    this.#closed = true;
    this.#dialler.close();
    for (const timer of [...this.#politeWaits.values(), ...this.#timers]) timer.cancel();
    for (const link of this.#links.values()) {
      link.send("control", { type: "goodbye", reason: "leaving" });
      link.send("data", { type: "goodbye", reason: "leaving" });
      link.close(closeCodes.goingAway, "leaving");
    }
  }

  #greet(channel: MessageChannel, hello: HelloMessage): MessageHandlers | undefined {
    const local = this.#options.local();
    const peer = hello.node;
    const refused = this.#closed ? refusal("leaving", "this node is leaving") : agree(local, hello);
    if (refused !== undefined) {
      this.#refuse(channel, refused);
      return undefined;
    }
    if (peer === undefined) return this.#options.acceptClient(channel, hello);
    if (hello.channel === "bulk") {
      channel.close(closeCodes.handshake, "bulk channels are not in this protocol version");
      return undefined;
    }
    return this.#admit(channel, hello, peer, hello.channel);
  }

  /** Welcomes a node, or waits until it is clear that no earlier life of it is still there. */
  #admit(
    channel: MessageChannel,
    hello: HelloMessage,
    peer: NodeIdentity,
    kind: LinkChannel,
  ): MessageHandlers {
    const handlers = this.#channelHandlers(peer, kind, channel);
    const judge = (): void => {
      if (!channel.isOpen || this.#closed) return;
      const judgement = this.#options.judgeHello(peer);
      switch (judgement.type) {
        case "accept":
          channel.send(welcomeFor(this.#options.local(), hello));
          this.#attach(peer, kind, channel, false);
          return;
        case "refuse":
          this.#refuse(channel, refusalOf(judgement, this.#options.local().node, peer));
          return;
        case "wait":
          this.#after(Math.max(0, judgement.untilAt - this.#options.platform.clock.now()), judge);
      }
    };
    judge();
    return handlers;
  }

  #refuse(channel: MessageChannel, refused: RefusedMessage): void {
    channel.send(refused);
    channel.close(closeCodes.refused, refused.code);
    if (refused.code === "duplicate_node") this.#options.events.duplicateNode(refused.message);
  }

  #channelHandlers(
    peer: NodeIdentity,
    kind: LinkChannel,
    channel: MessageChannel,
  ): MessageHandlers {
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
    if (link?.slot(kind)?.channel !== channel) return;
    if (kind === "data") link.dataHeardAt = this.#options.platform.clock.now();
    if (message.type === "goodbye") {
      if (message.reason === "leaving") link.goodbye = true;
      return;
    }
    this.#options.events.message(peer, message);
  }

  #attach(
    peer: NodeIdentity,
    kind: LinkChannel,
    channel: MessageChannel,
    dialledByUs: boolean,
  ): void {
    const link = this.#linkFor(peer);
    const old = link.slot(kind);
    if (old !== undefined) {
      const lowerDials = this.#options.local().node.id < peer.id;
      if (old.dialledByUs !== dialledByUs && dialledByUs !== lowerDials) {
        dropDuplicate(channel);
        return;
      }
      link.set(kind, channel, dialledByUs);
      dropDuplicate(old.channel);
    } else {
      link.set(kind, channel, dialledByUs);
    }
    if (dialledByUs && kind === "control") this.#dialler.dial(peer.address, "data");
    if (!link.isUp || link.announced) return;
    link.announced = true;
    link.dataHeardAt = this.#options.platform.clock.now();
    this.#endPoliteWait(peer.id);
    this.#options.events.linkUp(peer);
  }

  /** The link record of this life of the peer; a record of an earlier life ends here. */
  #linkFor(peer: NodeIdentity): PeerLink {
    const known = this.#links.get(peer.id);
    if (known?.identity.boot === peer.boot) return known;
    const link = new PeerLink(peer, this.#options.platform.clock.now());
    this.#links.set(peer.id, link);
    if (known !== undefined) {
      if (known.announced) this.#options.events.linkDown(known.identity);
      known.terminate();
      this.#options.events.evidence(peer.id, known.identity.boot, "replaced");
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
    if (link?.clear(kind, channel) !== true) return;
    const wasUp = link.announced;
    this.#links.delete(peer.id);
    link.announced = false;
    link.terminate();
    if (wasUp) this.#options.events.linkDown(link.identity);
    if (this.#closed) return;
    if (link.goodbye) {
      this.#options.events.evidence(peer.id, peer.boot, "goodbye");
      return;
    }
    this.#options.platform.logger.debug("link lost", { peer: peer.id, why: reason.message });
    this.#lost.set(peer.address, link.identity);
    this.#dialler.dial(peer.address, "control");
  }

  #dialled(address: string, outcome: DialOutcome): void {
    const { events } = this.#options;
    if (outcome.type === "welcomed") {
      this.#tellAbout(address, "replaced", outcome.peer);
      outcome.adopt(this.#channelHandlers(outcome.peer, outcome.kind, outcome.channel));
      this.#attach(outcome.peer, outcome.kind, outcome.channel, true);
      return;
    }
    if (outcome.type === "refused-hello") {
      const { code, message, rememberedBoot } = outcome.refused;
      if (code === "boot_too_low" && rememberedBoot !== undefined)
        events.bootTooLow(rememberedBoot);
      else events.refused(address, code, message);
    } else {
      this.#tellAbout(address, outcome.type === "nobody" ? "refused" : "unreachable");
    }
    if (this.#isSought(address)) this.#dialler.dialLater(address);
  }

  /** What a dial says about the processes that were last seen at an address. */
  #tellAbout(address: string, evidence: LinkEvidence, answered?: NodeIdentity): void {
    const about = new Map<NodeId, WantedPeer>();
    for (const peer of this.#wanted.values())
      if (peer.address === address) about.set(peer.id, peer);
    const lost = this.#lost.get(address);
    if (lost !== undefined) about.set(lost.id, lost);
    for (const { id, boot } of about.values()) {
      const isSame = answered?.id === id && answered.boot <= boot;
      if (!isSame && this.link(id) === undefined) this.#options.events.evidence(id, boot, evidence);
    }
    if (evidence !== "unreachable") this.#lost.delete(address);
  }

  /** Dials a wanted member: at once when it is ours to dial, else after the polite wait. */
  #seek(id: NodeId): void {
    const peer = this.#wanted.get(id);
    if (peer === undefined || this.#closed || this.#links.has(id)) return;
    if (this.#options.local().node.id < id) {
      this.#dialler.dial(peer.address, "control");
      return;
    }
    if (this.#politeWaits.has(id)) return;
    const wait = this.#options.platform.timers.after(politeWaitMs, () => {
      this.#politeWaits.delete(id);
      const still = this.#wanted.get(id);
      if (still !== undefined && !this.#links.has(id)) this.#dialler.dial(still.address, "control");
    });
    this.#politeWaits.set(id, wait);
  }

  #endPoliteWait(id: NodeId): void {
    this.#politeWaits.get(id)?.cancel();
    this.#politeWaits.delete(id);
  }

  #hasLinkTo(address: string): boolean {
    for (const link of this.#links.values()) if (link.identity.address === address) return true;
    return false;
  }

  #isSought(address: string): boolean {
    if (this.#closed || this.#hasLinkTo(address)) return false;
    for (const peer of this.#wanted.values()) if (peer.address === address) return true;
    return false;
  }

  #after(delayMs: number, run: () => void): Timer {
    const timer = this.#options.platform.timers.after(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
    return timer;
  }

  #settle(timer: Timer): void {
    timer.cancel();
    this.#timers.delete(timer);
  }
}

/** Ends a connection that lost to another one between the same two nodes. */
function dropDuplicate(channel: MessageChannel): void {
  channel.send({ type: "goodbye", reason: "duplicate_link" });
  channel.close(closeCodes.normal, "duplicate_link");
}
