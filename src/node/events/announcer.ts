/**
 * Where everything that happens to a node is told, once: to its log and to whoever reads its events.
 * The parts below neither know nor wait for either.
 */
import type { Clock } from "../../platform/platform.ts";
import type { EventFeed } from "./event-feed.ts";
import type { EventLog } from "./event-log.ts";
import type { NodeEvent } from "./node-event.ts";

type Untimed<Event> = Event extends unknown ? Omit<Event, "at"> : never;

/** An event that has yet to get its time. */
export type Happening = Untimed<NodeEvent>;

export class Announcer {
  readonly #clock: Clock;
  readonly #log: EventLog;
  readonly #feed: EventFeed;

  constructor(clock: Clock, log: EventLog, feed: EventFeed) {
    this.#clock = clock;
    this.#log = log;
    this.#feed = feed;
  }

  /** What the log does not write need not be told, nor found out, while nobody reads. */
  get isHeard(): boolean {
    return this.#feed.isHeard;
  }

  tell(happening: Happening): void {
    const event: NodeEvent = { at: this.#clock.wallNow(), ...happening };
    this.#log.take(event);
    this.#feed.publish(event);
  }

  /** Writes what the log has put off. */
  flush(): void {
    this.#log.flush();
  }
}
