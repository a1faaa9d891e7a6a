/**
 * One reader of a node's events: an async iterator with a bounded backlog. What is told is kept
 * until it is read; beyond the bound the oldest goes, and the reader is told how much it missed.
 */
import { limits } from "../../model/limits.ts";
import type { NodeEvent } from "./node-event.ts";

type Result = IteratorResult<NodeEvent>;

export class EventReader implements AsyncIterableIterator<NodeEvent> {
  readonly #ended: () => void;
  #backlog: NodeEvent[] = [];
  #droppedCount = 0;
  #droppedAt = 0;
  /** Steps that wait for something to happen. */
  readonly #steps: ((result: Result) => void)[] = [];
  #isOver = false;

  /** @param ended called once, when the reader leaves or the node stops */
  constructor(ended: () => void) {
    this.#ended = ended;
  }

  /** Never runs anything of the reader: that goes on in a turn of its own. */
  push(event: NodeEvent): void {
    if (this.#isOver) return;
    const step = this.#steps.shift();
    if (step !== undefined) {
      step({ value: event, done: false });
      return;
    }
    if (this.#backlog.length >= limits.eventBacklogMax) this.#drop();
    this.#backlog.push(event);
  }

  /** Nothing more will happen; what has not been read yet still can be. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const step of this.#steps.splice(0)) step({ value: undefined, done: true });
    this.#ended();
  }

  next(): Promise<Result> {
    const value = this.#take();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#steps.push(resolve));
  }

  return(): Promise<Result> {
    this.#backlog = [];
    this.#droppedCount = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): NodeEvent | undefined {
    if (this.#droppedCount === 0) return this.#backlog.shift();
    const count = this.#droppedCount;
    this.#droppedCount = 0;
    return { type: "events.dropped", at: this.#droppedAt, count };
  }

  #drop(): void {
    const dropped = this.#backlog.shift();
    this.#droppedCount += 1;
    this.#droppedAt = dropped?.at ?? this.#droppedAt;
  }
}
