/**
 * Looks after links over which nothing comes although no end of them has broken: calls would wait on
 * one until its keep-alive notices, half a minute, and a new life of the node would not be let in.
 *
 * A member that is suspected, or that answered a probe only through others, is asked over its data
 * channel; when nothing at all has come over that for two seconds, the link is given up. Then the
 * re-dial says what there is to know, and calls go by way of a third node. One that is held dead and
 * answers is left alone: it has been asked to say that it lives (`replication.md` rule 6).
 */
import type { Member } from "../../membership/member.ts";
import { processId, type NodeId, type ProcessId } from "../../model/ids.ts";
import type { Clock, Timers } from "../../platform/platform.ts";
import { silentSuspectMs } from "../partitions/peer-book.ts";
import type { Links } from "./links.ts";
import type { PeerLink } from "./peer-link.ts";

/** How often whoever is in doubt is asked. */
const echoIntervalMs = 500;

export interface SilenceWatchOptions {
  readonly clock: Clock;
  readonly timers: Pick<Timers, "after">;
  readonly links: Pick<Links, "link" | "send">;
  readonly members: () => Iterable<Member>;
  /** Linked, and lost all the same. */
  isLost(process: ProcessId): boolean;
  /** Time has passed for suspects: whether they are lost may have another answer. */
  suspectsWaited(): void;
}

interface Doubt {
  readonly link: PeerLink;
  readonly since: number;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  /** At most one of each member. */
  readonly #doubts = new Map<NodeId, Doubt>();

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** Looks from now on, for as long as the timers run. */
  start(): void {
    this.#options.timers.after(echoIntervalMs, () => {
      this.#lookAtSuspects();
      this.#lookAtDoubts();
      this.start();
    });
  }

  /** Others hear this node, and it has not answered here. */
  doubt(node: NodeId): void {
    const link = this.#options.links.link(node);
    if (link === undefined || this.#doubts.get(node)?.link === link) return;
    this.#doubts.set(node, { link, since: this.#options.clock.now() });
    this.#ask(node);
  }

  #lookAtSuspects(): void {
    let found = false;
    for (const member of this.#options.members()) {
      if (member.status !== "suspect" && member.status !== "dead") continue;
      if (member.status === "suspect") found = true;
      if (this.#hasFallenSilent(member)) this.#options.links.link(member.id)?.terminate();
      else this.#ask(member.id);
    }
    if (found) this.#options.suspectsWaited();
  }

  #hasFallenSilent({ id, boot }: Member): boolean {
    const { clock, links } = this.#options;
    const isSilent = clock.now() - (links.link(id)?.dataHeardAt ?? 0) >= silentSuspectMs;
    return isSilent && this.#options.isLost(processId(id, boot));
  }

  #lookAtDoubts(): void {
    const now = this.#options.clock.now();
    for (const [node, { link, since }] of this.#doubts) {
      const isOver = this.#options.links.link(node) !== link || link.dataHeardAt > since;
      if (!isOver && now - since < silentSuspectMs) continue;
      this.#doubts.delete(node);
      if (!isOver) link.terminate();
    }
  }

  #ask(node: NodeId): void {
    this.#options.links.send(node, "data", { type: "echo", reply: false });
  }
}
