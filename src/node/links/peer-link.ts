/**
 * All connections between this node and one life of another: a control channel (probes, gossip) and
 * a data channel (calls, replication). The link is up while both are open; losing either is losing
 * the link, because half a link would let a probe say "fine" about a node that no call can reach.
 *
 * When both nodes dialled, one of two channels of a kind loses. It is still read for a while: the
 * peer may not have heard yet that the other one stands, and goes on sending by this one.
 */
import type { MessageChannel } from "../../transport/message-channel.ts";
import type { Message, NodeIdentity } from "../../wire/messages.ts";

export type LinkChannel = "control" | "data";

/** Longer than any dial takes. */
const oldLinkMs = 5_000;

interface Slot {
  readonly channel: MessageChannel;
  readonly dialledByUs: boolean;
}

export class PeerLink {
  readonly identity: NodeIdentity;
  readonly bornAt: number;
  /** Time of the last frame on the data channel, for "suspect and silent". */
  dataHeardAt: number;
  /** The peer said that it means to go. */
  goodbye = false;
  /** Whether `linkUp` has been told and `linkDown` not yet. */
  announced = false;
  readonly #slots = new Map<LinkChannel, Slot>();
  readonly #lingering = new Set<MessageChannel>();

  constructor(identity: NodeIdentity, now: number) {
    this.identity = identity;
    this.bornAt = now;
    this.dataHeardAt = now;
  }

  get isUp(): boolean {
    return this.#slots.size === 2;
  }

  /** Up for so long that a peer who dials now has lost it. */
  isOld(now: number): boolean {
    return this.announced && now - this.bornAt >= oldLinkMs;
  }

  get data(): MessageChannel | undefined {
    return this.#slots.get("data")?.channel;
  }

  slot(kind: LinkChannel): Slot | undefined {
    return this.#slots.get(kind);
  }

  set(kind: LinkChannel, channel: MessageChannel, dialledByUs: boolean): void {
    this.#slots.set(kind, { channel, dialledByUs });
  }

  /** Forgets `channel`. @returns what it was to this link */
  clear(kind: LinkChannel, channel: MessageChannel): "current" | "lingering" | "unknown" {
    if (this.#lingering.delete(channel)) return "lingering";
    if (this.#slots.get(kind)?.channel !== channel) return "unknown";
    this.#slots.delete(kind);
    return "current";
  }

  /** `channel` lost to another: it is read until it is closed, and not written to. */
  linger(channel: MessageChannel): void {
    this.#lingering.add(channel);
  }

  /** Whether what this channel brings is from the peer. */
  reads(kind: LinkChannel, channel: MessageChannel): boolean {
    return this.#slots.get(kind)?.channel === channel || this.#lingering.has(channel);
  }

  /** @throws LatticeError `too_large`, `invalid_argument` for a message that cannot be sent */
  send(kind: LinkChannel, message: Message): void {
    this.#slots.get(kind)?.channel.send(message);
  }

  /** Closes what is open; used when the link is given up on purpose. */
  close(code: number, reason: string): void {
    for (const channel of this.#channels()) channel.close(code, reason);
  }

  terminate(): void {
    for (const channel of this.#channels()) channel.terminate();
  }

  #channels(): MessageChannel[] {
    return [...[...this.#slots.values()].map(({ channel }) => channel), ...this.#lingering];
  }
}
