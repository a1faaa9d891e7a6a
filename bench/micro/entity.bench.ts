/**
 * The part of a call that belongs to state: look the call up, change a counter in a draft, record
 * the result, make the commit, apply it. Many entities in random order, so that what they take of
 * the processor's caches shows, and results that are not shared.
 */
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { crdt } from "../../src/entry/main.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { callDigest } from "../../src/state/outcome.ts";
import type { MicroBench } from "../lib/micro.ts";

const shape = { count: crdt.counter() };
/** Of the size of real ones: neither fits a small integer. */
const writer = 7_234_567_890_123_456;
const firstHybridTime = 1_790_000_000_000_000;
const caller = "V1StGXR8_Z5jdHi6B-myT";
const noInput = new Uint8Array(0);
/** Results of more than one byte. */
const countMin = 128;

export const entity: MicroBench = {
  name: "entity",
  add(bench) {
    for (const entityCount of [100, 10_000]) {
      const turns = new CounterTurns(entityCount, encodeValue);
      bench.add(`a turn of one of ${entityCount.toLocaleString("en-US")} counters`, () => {
        turns.run();
      });
    }
  },
};

/** Counters, and one caller that counts at random ones and has the answers of all its calls. */
export class CounterTurns {
  readonly #encode: (result: number) => Uint8Array;
  readonly #entities: readonly Entity[];
  #random = 0x9e3779b9;
  #number = 0;

  constructor(entityCount: number, encode: (result: number) => Uint8Array) {
    this.#encode = encode;
    this.#entities = Array.from({ length: entityCount }, (_, index) => {
      return Entity.create(`counter/key-${String(index)}`);
    });
    for (const each of this.#entities) this.#turn(each, countMin);
  }

  /** One call. */
  run(): void {
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    this.#turn(this.#entities[(random >>> 0) % this.#entities.length]!, 1);
  }

  #turn(target: Entity, by: number): void {
    this.#number += 1;
    const number = this.#number;
    const hybridTime = firstHybridTime + number;
    const { dedupe } = target;
    const isNew = dedupe.lookup(caller, number, number).type === "new";
    if (!isNew || !dedupe.hasRoom(caller, number, hybridTime)) throw new Error("a call ran twice");
    const draft = new Draft({ entity: target, shape, writer, hybridTime });
    const { count } = draft.live;
    count.add(by);
    const outcome = { type: "ok", value: this.#encode(count.value) } as const;
    const digest = callDigest("increment", noInput);
    draft.recordResult({ caller, number, received: number, digest, outcome });
    const commit = draft.finish();
    draft.revoke();
    if (commit === undefined || !target.apply(commit)) throw new Error("a turn changed nothing");
  }
}
