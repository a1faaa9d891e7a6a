/**
 * Tells the operator what happened to the cluster: one line per kind and burst. A node that dies
 * moves hundreds of partitions in a moment, and hundreds of lines would hide that it was one event.
 */
import type { NodeId } from "../../model/ids.ts";
import type { Logger, Timers } from "../../platform/platform.ts";
import type { MemberStatus } from "../../wire/membership-messages.ts";

/** What happens within this time is one burst. */
const burstMs = 250;
/** Names in one line; the others are counted. */
const namesMax = 16;

export class EventLog {
  readonly #timers: Pick<Timers, "after">;
  readonly #logger: Logger;
  readonly #members = new Map<string, NodeId[]>();
  #began = 0;
  #ended = 0;
  #degraded = 0;
  #forkCommits = 0;
  #isDue = false;

  constructor(timers: Pick<Timers, "after">, logger: Logger) {
    this.#timers = timers;
    this.#logger = logger;
  }

  member(node: NodeId, status: MemberStatus, leaving: boolean): void {
    const what = leaving && status === "alive" ? "leaving" : status;
    const nodes = this.#members.get(what);
    if (nodes === undefined) this.#members.set(what, [node]);
    else nodes.push(node);
    this.#writeSoon();
  }

  /** This node leads a partition now. */
  began(): void {
    this.#began += 1;
    this.#writeSoon();
  }

  /** It led a partition and does not any more. */
  ended(): void {
    this.#ended += 1;
    this.#writeSoon();
  }

  /** It serves a partition without a majority. */
  degraded(): void {
    this.#degraded += 1;
    this.#writeSoon();
  }

  forkMerged(commits: number): void {
    this.#forkCommits += commits;
    this.#writeSoon();
  }

  /** Writes what has come together. */
  flush(): void {
    for (const [what, nodes] of this.#members) {
      this.#logger.info(`members: ${what}`, {
        count: nodes.length,
        nodes: nodes.slice(0, namesMax),
      });
    }
    if (this.#began + this.#ended > 0) {
      this.#logger.info("partitions changed hands", { taken: this.#began, given: this.#ended });
    }
    if (this.#degraded > 0) {
      this.#logger.warn("serves without a majority of the owners", { partitions: this.#degraded });
    }
    if (this.#forkCommits > 0) {
      this.#logger.info("merged what was done without a majority", { commits: this.#forkCommits });
    }
    this.#members.clear();
    this.#began = 0;
    this.#ended = 0;
    this.#degraded = 0;
    this.#forkCommits = 0;
  }

  #writeSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#timers.after(burstMs, () => {
      this.#isDue = false;
      this.flush();
    });
  }
}
