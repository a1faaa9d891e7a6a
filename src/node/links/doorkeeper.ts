/**
 * Takes incoming connections as far as their hello: whoever says nothing, says something else first,
 * or does not fit is turned away here, and their number is bounded, so that strangers cost little.
 *
 *   connection ─▶ hello ─▶ agree? ─▶ a client ─────────────────────▶ sessions
 *                                 └▶ a node ─▶ its id free? ─▶ welcome ─▶ links
 *                                              └▶ wait: is the earlier life still there?
 */
import type { HelloJudgement } from "../../membership/hello-judgement.ts";
import type { NodeId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Platform, Timer } from "../../platform/platform.ts";
import { MessageChannel, type MessageHandlers } from "../../transport/message-channel.ts";
import type { Connection, ConnectionHandlers } from "../../transport/transport.ts";
import { agree } from "../../wire/agreement.ts";
import { closeCodes } from "../../wire/close-codes.ts";
import type { CallKeys } from "../../wire/field.ts";
import { nodeFrameLimits } from "../../wire/node-codecs.ts";
import type { HelloMessage, Message, NodeIdentity, RefusedMessage } from "../../wire/messages.ts";
import { TimerSet } from "../timer-set.ts";
import { refusal, refusalOf, welcomeFor, type LocalIdentity } from "./handshake.ts";
import type { DuplicateNode } from "./link-evidence.ts";
import type { LinkChannel } from "./peer-link.ts";

export interface DoorkeeperOptions {
  readonly platform: Platform;
  /** Of the entities called here. */
  readonly keys: CallKeys;
  local(): LocalIdentity;
  /** Whether a node that says hello may be who it says it is. */
  judgeHello(peer: NodeIdentity): HelloJudgement;
  /** A client said hello; what it says next goes to the handlers returned, or it was refused. */
  acceptClient(channel: MessageChannel, hello: HelloMessage): MessageHandlers | undefined;
  /** What a node's channel brings, also while it waits to be welcomed. */
  handlersFor(peer: NodeIdentity, kind: LinkChannel, channel: MessageChannel): MessageHandlers;
  /** A node was welcomed. */
  admitted(peer: NodeIdentity, kind: LinkChannel, channel: MessageChannel): void;
  /** Somebody else runs under the id of a node that is here. */
  duplicateNode(refused: DuplicateNode): void;
}

/** A node whose id is being tested. */
interface Waiting {
  readonly peer: NodeIdentity;
  readonly judge: () => void;
  timer: Timer;
}

export class Doorkeeper {
  readonly #options: DoorkeeperOptions;
  readonly #timers: TimerSet;
  readonly #waiting = new Set<Waiting>();
  /** Connections that have not finished the hand shake, by remote host. */
  readonly #greeting = new Map<string, number>();
  #greetingCount = 0;
  #closed = false;

  constructor(options: DoorkeeperOptions) {
    this.#options = options;
    this.#timers = new TimerSet(options.platform.timers);
  }

  /** Connections that have not finished the hand shake. */
  get greetingCount(): number {
    return this.#greetingCount;
  }

  /** Takes an incoming connection from the transport. */
  accept(connection: Connection): ConnectionHandlers {
    let next: MessageHandlers | undefined;
    const leave = this.#enter(connection.remoteAddress);
    const { channel, events } = MessageChannel.accept(connection, {
      timers: this.#options.platform.timers,
      limits: nodeFrameLimits,
      keys: this.#options.keys,
      handlers: {
        message: (message) => {
          if (next !== undefined) {
            next.message(message);
            return;
          }
          next = this.#first(channel, message, leave ?? nothing);
        },
        calls: (calls) => {
          if (next?.calls !== undefined) next.calls(calls);
          else for (const call of calls) next?.message(call);
        },
        closed: (code, reason) => {
          deadline.cancel();
          leave?.();
          next?.closed(code, reason);
        },
        drain: () => next?.drain?.(),
      },
    });
    const deadline = this.#timers.after(limits.helloDeadlineMs, () => {
      if (next === undefined) channel.close(closeCodes.handshake, "no hello within 5 s");
    });
    if (leave === undefined) channel.close(closeCodes.overloaded, "too many hand shakes at once");
    return events;
  }

  /** What was in the way of a newcomer with this id may be gone: its link broke. */
  judgeAgain(node: NodeId): void {
    for (const waiting of [...this.#waiting]) if (waiting.peer.id === node) waiting.judge();
  }

  close(): void {
    this.#closed = true;
    this.#timers.close();
    this.#waiting.clear();
  }

  /** Counts a connection in; `undefined` when there are too many. */
  #enter(remoteAddress: string): (() => void) | undefined {
    const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
    const count = this.#greeting.get(host) ?? 0;
    // Behind one loopback address are all local clients: there only the total is bounded.
    const most = isLoopback(host) ? Infinity : limits.greetingConnectionsPerAddressMax;
    if (count >= most || this.#greetingCount >= limits.greetingConnectionsMax) return undefined;
    this.#greeting.set(host, count + 1);
    this.#greetingCount += 1;
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#greetingCount -= 1;
      const left = (this.#greeting.get(host) ?? 1) - 1;
      if (left === 0) this.#greeting.delete(host);
      else this.#greeting.set(host, left);
    };
  }

  #first(
    channel: MessageChannel,
    message: Message,
    leave: () => void,
  ): MessageHandlers | undefined {
    if (message.type !== "hello") {
      channel.close(closeCodes.handshake, "the first message must be hello");
      return undefined;
    }
    const local = this.#options.local();
    const refused = this.#closed
      ? refusal("leaving", "this node is leaving")
      : agree(local, message);
    if (refused !== undefined) {
      this.#refuse(channel, refused);
      return undefined;
    }
    const peer = message.node;
    if (peer === undefined) {
      leave();
      return this.#options.acceptClient(channel, message);
    }
    if (message.channel === "bulk") {
      channel.close(closeCodes.handshake, "bulk channels are not in this protocol version");
      return undefined;
    }
    this.#admit(channel, message, { peer, kind: message.channel }, leave);
    return this.#options.handlersFor(peer, message.channel, channel);
  }

  /** Welcomes a node, or waits until it is clear that no earlier life of it is still there. */
  #admit(
    channel: MessageChannel,
    hello: HelloMessage,
    { peer, kind }: { readonly peer: NodeIdentity; readonly kind: LinkChannel },
    leave: () => void,
  ): void {
    const options = this.#options;
    const waiting: Waiting = {
      peer,
      timer: noTimer,
      judge: () => {
        waiting.timer.cancel();
        this.#waiting.delete(waiting);
        if (!channel.isOpen || this.#closed) return;
        const judgement = options.judgeHello(peer);
        switch (judgement.type) {
          case "accept":
            leave();
            channel.send(welcomeFor(options.local(), hello));
            channel.become({ incoming: kind, outgoing: kind });
            options.admitted(peer, kind, channel);
            return;
          case "refuse":
            this.#refuse(channel, refusalOf(judgement, options.local().node, peer), peer);
            return;
          case "wait": {
            const delayMs = Math.max(0, judgement.untilAt - options.platform.clock.now());
            waiting.timer = this.#timers.after(delayMs, waiting.judge);
            this.#waiting.add(waiting);
          }
        }
      },
    };
    waiting.judge();
  }

  #refuse(channel: MessageChannel, refused: RefusedMessage, peer?: NodeIdentity): void {
    channel.send(refused);
    channel.close(closeCodes.refused, refused.code);
    if (refused.code !== "duplicate_node" || peer === undefined) return;
    const { id: node, address } = peer;
    this.#options.duplicateNode({ node, address, message: refused.message });
  }
}

const noTimer: Timer = Object.freeze({ cancel: nothing });

function nothing(): void {
  return;
}

function isLoopback(host: string): boolean {
  return host === "::1" || host === "[::1]" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host);
}
