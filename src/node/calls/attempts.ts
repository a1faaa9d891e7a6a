/**
 * Calls that this node sent to other nodes and that have not been answered: its own, and those it
 * passed on for somebody else. One table for all links; a link that breaks ends all that went over
 * it, because whether they ran can no longer be learnt from there.
 */
import { LatticeError } from "../../model/error.ts";
import type { NodeId } from "../../model/ids.ts";
import type { CallMessage, FailureMessage, ReplyMessage } from "../../wire/messages.ts";
import type { Links } from "../links/links.ts";
import { failureOf } from "./served-call.ts";

/** Waits for the end of one attempt; called exactly once. */
export interface Attempt {
  answered(message: ReplyMessage | FailureMessage): void;
  /** The link broke after the call was sent. */
  linkLost(node: NodeId): void;
}

interface Pending {
  readonly node: NodeId;
  readonly attempt: Attempt;
}

/** Ids wrap; no call lives long enough to meet its id again. */
const idLimit = 2 ** 31;

export class Attempts {
  readonly #links: Pick<Links, "link" | "send">;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(links: Pick<Links, "link" | "send">) {
    this.#links = links;
  }

  get count(): number {
    return this.#pending.size;
  }

  /**
   * Sends a call to a linked node; its `id` is chosen here. Returns it for `cancel`, or `undefined`
   * if the attempt is over already, because the call cannot be sent as it is.
   */
  send(node: NodeId, call: CallMessage, attempt: Attempt): number | undefined {
    this.#lastId = (this.#lastId + 1) % idLimit;
    const id = this.#lastId;
    // Without a link it would be dropped, and no link that breaks would tell.
    const error =
      this.#links.link(node) === undefined
        ? new LatticeError("unavailable", `there is no link to ${node}; nothing took effect`)
        : this.#links.send(node, "data", { ...call, id });
    if (error === undefined) {
      this.#pending.set(id, { node, attempt });
      return id;
    }
    attempt.answered(failureOf(id, error, node));
    return undefined;
  }

  /** Tells the other node that nobody waits any more, and forgets the call. */
  cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    this.#links.send(pending.node, "data", { type: "cancel", id });
  }

  answered(message: ReplyMessage | FailureMessage): void {
    const pending = this.#pending.get(message.id);
    // Cancelled or given up meanwhile: nobody waits.
    if (pending === undefined) return;
    this.#pending.delete(message.id);
    pending.attempt.answered(message);
  }

  linkLost(node: NodeId): void {
    for (const [id, pending] of this.#pending) {
      if (pending.node !== node) continue;
      this.#pending.delete(id);
      pending.attempt.linkLost(node);
    }
  }
}
