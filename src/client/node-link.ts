/**
 * A client's link to one node: dials, says hello, then carries calls. It knows nothing of why a call
 * goes here; whoever owns it hears what arrives and how it ended.
 *
 * ```
 * idle ─dial─▶ opening ─welcome─▶ ready ─close─▶ resting ─back-off over─▶ idle
 *                 └───────refused, failed, silent──▲
 * ```
 */
import { limits } from "../model/limits.ts";
import type { NodeId } from "../model/ids.ts";
import type { Platform, Timer } from "../platform/platform.ts";
import { clientDialBackOff, fullJitterMs } from "../routing/back-off.ts";
import { standings } from "../routing/target.ts";
import { MessageChannel } from "../transport/message-channel.ts";
import { highWaterBytes, type CloseReason, type Transport } from "../transport/transport.ts";
import { protocolMax, protocolMin } from "../wire/agreement.ts";
import { closeCodes } from "../wire/close-codes.ts";
import { clientFrameLimits } from "../wire/client-codecs.ts";
import type { Message, RefusedMessage, WelcomeMessage } from "../wire/messages.ts";

/** Connecting and the answer to hello together. */
const dialTimeoutMs = 5_000;
/** After it calls do not wait for a link that is being opened when another one can forward them. */
const patienceMs = 500;
/** Call input written since the buffers were looked at last, before they are looked at again. */
const bytesBetweenChecks = 64 * 1024;
/** So few calls are not worth a frame while others are being made. */
const smallestSplit = 32;

export interface LinkOwner {
  readonly platform: Platform;
  readonly transport: Transport;
  readonly cluster: string;
  /** Takes part in calls from now on; throws to refuse the node. */
  welcomed(link: NodeLink, welcome: WelcomeMessage): void;
  message(link: NodeLink, message: Message): void;
  /** Something that routing depends on changed: patience, demotion, end of the back-off. */
  changed(link: NodeLink): void;
  /** It can take calls again after it could not. */
  drained(link: NodeLink): void;
  ended(link: NodeLink, end: LinkEnd): void;
}

export interface LinkEnd {
  /** It had been ready. */
  readonly wasReady: boolean;
  readonly refused: RefusedMessage | undefined;
}

type State = "idle" | "opening" | "ready" | "resting" | "closed";

export class NodeLink {
  readonly address: string;
  readonly #owner: LinkOwner;
  #state: State = "idle";
  #node: NodeId = "";
  #channel: MessageChannel | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  #isLate = false;
  #isLeaving = false;
  #isBlocked = false;
  #uncheckedBytes = 0;
  #refused: RefusedMessage | undefined;
  /** What went wrong last, for messages; "" while nothing did. */
  problem = "";
  /** Calls sent and not answered. */
  inFlightCount = 0;

  constructor(owner: LinkOwner, address: string) {
    this.#owner = owner;
    this.address = address;
  }

  /** "" before the first welcome. */
  get node(): NodeId {
    return this.#node;
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Being opened, and not for long. */
  get isPromising(): boolean {
    return this.#state === "opening" && !this.#isLate;
  }

  /** Being opened, for longer than anybody waits for it. */
  get isLate(): boolean {
    return this.#state === "opening" && this.#isLate;
  }

  get isIdle(): boolean {
    return this.#state === "idle";
  }

  get isOpenOrOpening(): boolean {
    return this.#state === "opening" || this.#state === "ready";
  }

  /** For `chooseTarget`. */
  get standing(): number {
    switch (this.#state) {
      case "ready":
        return this.#isLeaving ? standings.demoted : standings.linked;
      case "opening":
        return this.#isLate ? standings.down : standings.unknown;
      case "idle":
        return standings.unknown;
      case "resting":
      case "closed":
        return standings.down;
    }
  }

  /**
   * Opens it unless it is open, on the way, resting or closed for good.
   * @param lateCount attempts at other nodes that are late: where several are, the crowd is more
   *   likely to be the reason than the nodes, and each one more makes it larger
   */
  dial(lateCount = 0): void {
    if (this.#state !== "idle") return;
    const { platform, transport } = this.#owner;
    this.#state = "opening";
    this.#isLate = false;
    this.#timer = platform.timers.after(patienceMs * 2 ** lateCount, this.#patienceOver);
    const channel: MessageChannel = MessageChannel.dial(transport, this.address, {
      timers: platform.timers,
      limits: clientFrameLimits,
      timeoutMs: dialTimeoutMs,
      handlers: {
        open: () => {
          if (channel === this.#channel) this.#hello();
        },
        message: (message) => {
          if (channel === this.#channel) this.#receive(message);
        },
        closed: (code, reason) => {
          if (channel === this.#channel) this.#ended(code, reason);
        },
        drain: () => {
          this.#isBlocked = false;
          this.#owner.drained(this);
        },
      },
    });
    this.#channel = channel;
  }

  /** Gives up an attempt that nobody waits for any more. The node did nothing wrong by being slow. */
  abandon(): void {
    if (this.#state !== "opening") return;
    const channel = this.#channel;
    this.#timer?.cancel();
    this.#channel = undefined;
    this.#state = "idle";
    channel?.terminate();
  }

  /** The node is known to be back: the next dial need not wait for the back-off. */
  forgive(): void {
    this.#failures = 0;
    if (this.#state !== "resting") return;
    this.#timer?.cancel();
    this.#state = "idle";
    this.#owner.changed(this);
  }

  /** Sends a message now, in this turn's frame. Only when ready. */
  send(message: Message): void {
    this.#channel?.send(message);
  }

  /** Whether a call would be sent at once. */
  get hasRoom(): boolean {
    return (
      this.#state === "ready" &&
      !this.#isBlocked &&
      this.inFlightCount < limits.callsPerConnectionMax
    );
  }

  /** Notes the size of a call that was sent; large ones make it look at the buffers. */
  noteSent(bytes: number): void {
    this.inFlightCount += 1;
    const channel = this.#channel;
    if (channel === undefined) return;
    if (this.#isHalf(channel.batchedCount)) channel.flush();
    this.#uncheckedBytes += bytes;
    if (this.#uncheckedBytes < bytesBetweenChecks) return;
    this.#uncheckedBytes = 0;
    // Only what the connection itself holds makes it tell when it has drained.
    channel.flush();
    if (channel.bufferedBytes > highWaterBytes) this.#isBlocked = true;
  }

  /**
   * Whether the batch is half of all that is in flight. It then leaves before its turn of the event
   * loop is over: half of the calls are with the node while the others are being made, so that neither
   * waits for the other, and there are as few frames as that takes. Once they are split the calls stay
   * so, because each answered part becomes the next one to be sent.
   */
  #isHalf(batchedCount: number): boolean {
    return batchedCount >= smallestSplit && 2 * batchedCount >= this.inFlightCount;
  }

  /** Ends it for good, with a goodbye when it is ready. */
  close(reason: "closed" | "done" = "closed"): void {
    this.#timer?.cancel();
    const wasReady = this.#state === "ready";
    const isOpen = this.isOpenOrOpening;
    this.#state = "closed";
    if (!isOpen) return;
    if (wasReady) {
      this.#channel?.send({ type: "goodbye", reason });
      this.#channel?.close(closeCodes.normal, "closed");
    } else {
      this.#channel?.terminate();
    }
  }

  /** Drops the connection of a closed link that does not answer the close hand shake. */
  terminate(): void {
    this.#channel?.terminate();
  }

  /** True until the connection of a closed link is gone. */
  get isClosing(): boolean {
    return this.#state === "closed" && this.#channel !== undefined;
  }

  readonly #patienceOver = (): void => {
    this.#isLate = true;
    this.#timer = this.#owner.platform.timers.after(dialTimeoutMs - patienceMs, () => {
      this.problem = `no answer in ${String(dialTimeoutMs / 1000)} s`;
      this.#channel?.terminate();
    });
    this.#owner.changed(this);
  };

  #hello(): void {
    this.#channel?.send({
      type: "hello",
      protocolMin,
      protocolMax,
      features: [],
      channel: "data",
      cluster: this.#owner.cluster,
    });
  }

  #receive(message: Message): void {
    if (this.#state === "ready") {
      if (message.type === "goodbye") this.#leaving();
      else this.#owner.message(this, message);
    } else if (this.#state === "opening") {
      this.#greeted(message);
    }
    // Closed: what still arrives has nobody to go to.
  }

  #leaving(): void {
    this.#isLeaving = true;
    this.problem = "the node is leaving";
    this.#owner.changed(this);
  }

  #greeted(message: Message): void {
    if (message.type === "welcome") {
      try {
        this.#owner.welcomed(this, message);
      } catch (error) {
        this.problem = error instanceof Error ? error.message : String(error);
        this.#channel?.close(closeCodes.handshake, "refused by the client");
        return;
      }
      this.#timer?.cancel();
      this.#node = message.node.id;
      this.#state = "ready";
      this.#failures = 0;
      this.problem = "";
      this.#owner.changed(this);
    } else if (message.type === "refused") {
      this.#refused = message;
      this.problem = message.message;
      this.#channel?.close(closeCodes.normal, "refused");
    } else {
      this.problem = `answered hello with ${message.type}`;
      this.#channel?.close(closeCodes.handshake, "expected welcome");
    }
  }

  #ended(code: number, reason: CloseReason): void {
    this.#timer?.cancel();
    this.#channel = undefined;
    if (this.#state === "closed") {
      this.#owner.ended(this, { wasReady: false, refused: undefined });
      return;
    }
    const end: LinkEnd = { wasReady: this.#state === "ready", refused: this.#refused };
    if (this.problem === "") this.problem = `${reason.type} (${describe(code, reason)})`;
    this.#refused = undefined;
    this.#isLeaving = false;
    this.#isBlocked = false;
    this.inFlightCount = 0;
    this.#rest();
    this.#owner.ended(this, end);
  }

  #rest(): void {
    const { platform } = this.#owner;
    const delayMs = fullJitterMs(clientDialBackOff, this.#failures, platform.random);
    this.#failures += 1;
    this.#state = "resting";
    this.#timer = platform.timers.after(delayMs, () => {
      this.#state = "idle";
      this.#owner.changed(this);
    });
  }
}

function describe(code: number, reason: CloseReason): string {
  return reason.message === "" ? `code ${String(code)}` : reason.message;
}
