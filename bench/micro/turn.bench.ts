/** One turn of a handler on a stored entity: queue, draft, commit, dedupe record; no network. */
import { decodeValue, encodeValue } from "../../src/codec/value-bytes.ts";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { EntityAddress, type OpenEntity } from "../../src/functions/entity-address.ts";
import type { Confirmed, Release, Store } from "../../src/functions/ports.ts";
import { Registry } from "../../src/functions/registry.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import { turnSettingsDefault } from "../../src/functions/turn-services.ts";
import { Turns } from "../../src/functions/turns.ts";
import type { EntityName } from "../../src/model/ids.ts";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import type { StateCommit } from "../../src/state/commit.ts";
import { Entity } from "../../src/state/entity.ts";
import { KeyDraw } from "../lib/key-draw.ts";
import type { MicroBench } from "../lib/micro.ts";

const counter = defineFunction({
  acks: 1,
  state: { count: crdt.counter() },
  handlers: {
    increment(ctx): number {
      ctx.state.count.add(1);
      return ctx.state.count.value;
    },
  },
  queries: { count: ({ state }) => state.count.value },
});

const confirmed: Release = { type: "ok", copies: 1, degraded: false };

/** Entities in a map; every change is confirmed at once. */
class MapStore implements Store {
  readonly #entities = new Map<EntityName, Entity>();
  readonly #reign = {};
  #time = 0;

  open({ name }: EntityAddress): OpenEntity {
    let entity = this.#entities.get(name);
    if (entity === undefined) this.#entities.set(name, (entity = Entity.create(name)));
    const reign = this.#reign;
    return { entity, writer: 7, usedUp: 0, degraded: false, copiesMax: 1, reign };
  }

  openCopy(): undefined {
    return undefined;
  }

  hasSeen(): boolean {
    return true;
  }

  markOf(): undefined {
    return undefined;
  }

  standingOf(): undefined {
    return undefined;
  }

  confirmTerm(_address: EntityAddress, _acks: unknown, turn: Confirmed): void {
    turn.released(confirmed);
  }

  commit({ name }: EntityAddress, commit: StateCommit, _acks: unknown, turn: Confirmed): void {
    this.#entities.get(name)?.apply(commit);
    turn.released(confirmed);
  }

  confirm(_address: EntityAddress, _acks: unknown, turn: Confirmed): void {
    turn.released(confirmed);
  }

  hybridTime(): number {
    return ++this.#time;
  }

  timeAt(): number {
    return this.#time;
  }
}

export const turn: MicroBench = {
  name: "turn",
  add(bench) {
    const platform = nodePlatform({ logLevel: "silent" });
    platform.close();
    const turns = new Turns({
      registry: new Registry({ counter }),
      store: new MapStore(),
      calls: { ask: () => Promise.reject(new Error("nobody asks here")) },
      compute: { run: () => Promise.reject(new Error("nobody computes here")) },
      values: { encode: encodeValue, decode: decodeValue },
      platform,
      settings: turnSettingsDefault,
    });
    const keys = new KeyDraw();
    let number = 0;
    bench.add("a handler, protected", () => {
      number += 1;
      turns.submit(request(keys.next(), "increment", number, platform.clock.now()));
    });
    bench.add("a handler, unprotected", () => {
      turns.submit(request(keys.next(), "increment", 0, platform.clock.now()));
    });
    bench.add("a query", () => {
      turns.submit(request(keys.next(), "count", 0, platform.clock.now()));
    });
  },
};

const noBytes = new Uint8Array(0);
const timeoutMs = 5_000;

/** Made once for each key, as a node does. */
const addresses = new Map<string, EntityAddress>();

function addressOf(key: string): EntityAddress {
  let address = addresses.get(key);
  if (address === undefined) {
    address = new EntityAddress("counter", key, 0);
    addresses.set(key, address);
  }
  return address;
}

function request(key: string, operation: string, number: number, now: number): TurnRequest {
  return {
    address: addressOf(key),
    operation,
    input: noBytes,
    caller: number === 0 ? "" : "V1StGXR8_Z5jdHi6B-myT",
    number,
    received: number,
    retry: false,
    outbox: false,
    timer: undefined,
    degradedAllowed: false,
    whenSplit: undefined,
    readFrom: "primary",
    inSession: false,
    seen: undefined,
    strictAcks: false,
    acks: undefined,
    arrivedAt: now,
    deadlineAt: now + timeoutMs,
    chain: [],
    trace: "",
    ageTime: 0,
    ageId: "",
    settle(outcome) {
      if (outcome.type !== "ok") throw new Error(`a turn ended with ${outcome.type}`);
    },
  };
}
