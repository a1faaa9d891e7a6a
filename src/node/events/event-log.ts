/**
 * Writes what happens to a node into its log. What comes in bursts is one line per kind and burst: a
 * node that dies moves hundreds of partitions in a moment, and hundreds of lines would hide that it
 * was one event.
 */
import type { NodeId } from "../../model/ids.ts";
import type { Logger, Timers } from "../../platform/platform.ts";
import type { NodeEvent } from "./node-event.ts";

/** What happens within this time is one burst. */
const burstMs = 250;
/** Names in one line; the others are counted. */
const namesMax = 16;
const memberPrefix = "member.";

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

  take(event: NodeEvent): void {
    switch (event.type) {
      case "member.joined":
      case "member.suspected":
      case "member.refuted":
      case "member.dead":
      case "member.leaving":
      case "member.resting":
      case "member.rested":
      case "member.left":
      case "member.forgotten":
        this.#member(event.type.slice(memberPrefix.length), event.node);
        return;
      case "primary.began":
        // Term 1 is no change of hands: the cluster is born.
        if (event.term === 1) return;
        this.#began += 1;
        break;
      case "primary.ended":
        this.#ended += 1;
        break;
      case "degraded.began":
        this.#degraded += 1;
        break;
      case "fork.merged":
        this.#forkCommits += event.commitCount;
        break;
      default:
        this.#writeAtOnce(event);
        return;
    }
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

  #member(what: string, node: NodeId): void {
    const nodes = this.#members.get(what);
    if (nodes === undefined) this.#members.set(what, [node]);
    else nodes.push(node);
    this.#writeSoon();
  }

  /** Of the others, what an operator has to act upon, or look into. */
  #writeAtOnce(event: NodeEvent): void {
    const { type, at: _, ...fields } = event;
    if (type === "node.accused") this.#logger.info("refuted a suspicion", fields);
    else if (type === "node.duplicate") {
      this.#logger.error("refused a second node of one id", fields);
    } else if (type === "diverged") {
      this.#logger.error("a copy differed from its primary's: it is replaced", fields);
    } else if (type === "fork.refused") {
      this.#logger.warn("dropped changes of what was deleted long ago", fields);
    } else if (type === "outbox.failed" || type === "timer.failed" || type === "clock.skew") {
      this.#logger.warn(type, fields);
    }
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
