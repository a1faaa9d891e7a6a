import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Value } from "../../src/model/value.ts";
import { applyDifference } from "../../src/wire/difference.ts";
import {
  historyLengthMax,
  lingerMs,
  maxSelectionsPerEntity,
  maxWatchersPerLink,
  textIntervalMs,
} from "../../src/live/limits.ts";
import type { SelectionTarget } from "../../src/live/selection.ts";
import { Watchers, type LiveEffect, type WatchRequest } from "../../src/live/watchers.ts";

const encode = (value: Value): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array): Value | undefined =>
  bytes.length === 0 ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as Value);

/** A node's side: some entities whose state a test sets, and how often it was asked for. */
function node() {
  const states = new Map<string, Value>();
  const counts = { reads: 0, encodings: 0 };
  let degraded = false;
  const watchers = new Watchers({
    tag: "n1",
    encode(value) {
      counts.encodings++;
      return encode(value);
    },
    read(entity, field) {
      counts.reads++;
      const state = states.get(entity);
      const value = field === "" ? state : (state as Record<string, Value> | undefined)?.[field];
      return { value, degraded };
    },
  });
  return {
    watchers,
    counts,
    set: (entity: string, state: Value): void => {
      states.set(entity, state);
      watchers.changed(entity);
    },
    setDegraded: (value: boolean): void => {
      degraded = value;
    },
  };
}

const target = (overrides: Partial<SelectionTarget> = {}): SelectionTarget => ({
  entity: "cart/alice",
  field: "",
  query: false,
  input: new Uint8Array(0),
  minIntervalMs: 0,
  ...overrides,
});

const request = (
  link: number,
  id: number,
  overrides: Partial<WatchRequest> = {},
): WatchRequest => ({
  link,
  id,
  partition: 7,
  target: target(),
  resume: "",
  ...overrides,
});

/** What watching sides hold after the messages they were sent. */
class Views {
  readonly values = new Map<string, Value | undefined>();
  readonly versions = new Map<string, string>();
  readonly log: string[] = [];

  take(effects: readonly LiveEffect[]): this {
    for (const effect of effects) {
      if (effect.type !== "send") assert.fail("a query in the way");
      const { link, message } = effect;
      const who = `${String(link)}:${String(message.id)}`;
      this.log.push(`${message.type} ${who}`);
      if (message.type === "snapshot") {
        this.values.set(who, decode(message.value));
      } else if (message.type === "change") {
        assert.equal(message.base, this.versions.get(who), "a change on another base");
        const difference = decode(message.difference) as Value;
        this.values.set(who, applyDifference(this.values.get(who), difference));
      }
      if (message.type === "watch-end") this.values.delete(who);
      else this.versions.set(who, message.version);
    }
    return this;
  }

  takeLog(): string[] {
    return this.log.splice(0);
  }
}

test("a new watcher gets one snapshot, then only differences", () => {
  const { watchers, set } = node();
  set("cart/alice", { tea: 1, milk: 1 });
  const views = new Views();
  assert.deepEqual(watchers.subscribe(request(1, 1)), []);
  views.take(watchers.flush(0));
  set("cart/alice", { tea: 2, milk: 1 });
  const effects = watchers.flush(1);
  views.take(effects);
  assert.deepEqual(views.takeLog(), ["snapshot 1:1", "change 1:1"]);
  assert.deepEqual(views.values.get("1:1"), { tea: 2, milk: 1 });
});

test("many commits between two flushes are one message", () => {
  const { watchers, set, counts } = node();
  watchers.subscribe(request(1, 1));
  watchers.flush(0);
  for (let n = 0; n < 100; n++) set("cart/alice", { n });
  const reads = counts.reads;
  assert.equal(watchers.flush(1).length, 1);
  assert.equal(counts.reads, reads + 1);
});

test("a change that leaves what is watched as it was is not sent", () => {
  const { watchers, set } = node();
  set("cart/alice", { tea: 1, milk: 1 });
  watchers.subscribe(request(1, 1, { target: target({ field: "tea" }) }));
  watchers.flush(0);
  set("cart/alice", { tea: 1, milk: 2 });
  assert.deepEqual(watchers.flush(1), []);
  assert.equal(watchers.nextFlushAt(), Infinity);
});

test("a thousand watchers of one thing cost one reading and one encoding, and share the bytes", () => {
  const { watchers, set, counts } = node();
  set("cart/alice", { tea: 1 });
  for (let n = 0; n < 1_000; n++) watchers.subscribe(request(n, 1));
  const snapshots = watchers.flush(0);
  assert.deepEqual([snapshots.length, counts.reads, counts.encodings], [1_000, 1, 1]);
  set("cart/alice", { tea: 2 });
  const changes = watchers.flush(1);
  assert.deepEqual([changes.length, counts.reads, counts.encodings], [1_000, 2, 2]);
  const bytes = new Set(
    changes.map((e) =>
      e.type === "send" && e.message.type === "change" ? e.message.difference : 0,
    ),
  );
  assert.equal(bytes.size, 1);
});

test("a slow link is passed over, and then gets one difference in place of a backlog", () => {
  const { watchers, set } = node();
  set("cart/alice", { n: 0 });
  watchers.subscribe(request(1, 1));
  watchers.subscribe(request(2, 1));
  const views = new Views().take(watchers.flush(0));
  views.takeLog();
  watchers.needsResync(1);
  for (let n = 1; n <= 3; n++) {
    set("cart/alice", { n });
    views.take(watchers.flush(n));
  }
  assert.deepEqual(views.takeLog(), ["change 2:1", "change 2:1", "change 2:1"]);
  assert.equal(watchers.nextFlushAt(), Infinity);
  watchers.drained(1);
  views.take(watchers.flush(4));
  assert.deepEqual(views.takeLog(), ["change 1:1"]);
  assert.deepEqual(views.values.get("1:1"), { n: 3 });
});

test("a link that fell behind the history gets a snapshot", () => {
  const { watchers, set } = node();
  watchers.subscribe(request(1, 1));
  watchers.subscribe(request(2, 1));
  const views = new Views().take(watchers.flush(0));
  watchers.needsResync(1);
  for (let n = 0; n <= historyLengthMax + 1; n++) {
    set("cart/alice", { n });
    views.take(watchers.flush(n));
  }
  watchers.drained(1);
  views.takeLog();
  views.take(watchers.flush(99));
  assert.deepEqual(views.takeLog(), ["snapshot 1:1"]);
});

test("a watcher that comes back within the grace period gets what it missed", () => {
  const { watchers, set } = node();
  set("cart/alice", { tea: 1, milk: 1 });
  watchers.subscribe(request(1, 1));
  const views = new Views().take(watchers.flush(0));
  watchers.linkClosed(1, 10);
  assert.equal(watchers.count, 0);
  set("cart/alice", { tea: 2, milk: 1 });
  assert.deepEqual(watchers.flush(20), []);
  views.versions.set("2:1", views.versions.get("1:1") ?? "");
  views.values.set("2:1", views.values.get("1:1"));
  watchers.subscribe(request(2, 1, { resume: views.versions.get("1:1") ?? "" }));
  views.takeLog();
  views.take(watchers.flush(30));
  assert.deepEqual(views.takeLog(), ["change 2:1"]);
  assert.deepEqual(views.values.get("2:1"), { tea: 2, milk: 1 });
});

test("a watcher that comes back to an unchanged state is sent nothing", () => {
  const { watchers, set } = node();
  set("cart/alice", { tea: 1 });
  watchers.subscribe(request(1, 1));
  const views = new Views().take(watchers.flush(0));
  watchers.unsubscribe(1, 1, 10);
  watchers.subscribe(request(1, 2, { resume: views.versions.get("1:1") ?? "" }));
  assert.deepEqual(watchers.flush(20), []);
});

test("a version of another node, or of long ago, is answered with a snapshot", () => {
  const { watchers, set } = node();
  set("cart/alice", { tea: 1 });
  watchers.subscribe(request(1, 1, { resume: "n0.1" }));
  const views = new Views().take(watchers.flush(0));
  assert.deepEqual(views.takeLog(), ["snapshot 1:1"]);
  watchers.unsubscribe(1, 1, 0);
  assert.equal(watchers.nextFlushAt(), lingerMs);
  watchers.flush(lingerMs);
  assert.equal(watchers.watches("cart/alice"), false);
  watchers.subscribe(request(1, 1, { resume: views.versions.get("1:1") ?? "" }));
  views.take(watchers.flush(lingerMs + 1));
  assert.deepEqual(views.takeLog(), ["snapshot 1:1"]);
});

test("text is sent at most every 100 ms, and the last edit is not forgotten", () => {
  const { watchers, set } = node();
  set("cart/alice", { body: "a" });
  const text = target({ field: "body", minIntervalMs: textIntervalMs });
  watchers.subscribe(request(1, 1, { target: text }));
  const views = new Views().take(watchers.flush(0));
  for (let now = 10; now < textIntervalMs; now += 10) {
    set("cart/alice", { body: `a${String(now)}` });
    assert.deepEqual(watchers.flush(now), []);
    assert.equal(watchers.nextFlushAt(), textIntervalMs);
  }
  views.take(watchers.flush(textIntervalMs));
  assert.equal(views.values.get("1:1"), "a90");
});

test("a query is run once for all its watchers and sent when its result differs", () => {
  const { watchers, set } = node();
  const total = target({ field: "total", query: true });
  watchers.subscribe(request(1, 1, { target: total }));
  watchers.subscribe(request(2, 1, { target: total }));
  const run = (now: number) => watchers.flush(now).filter((effect) => effect.type === "query");
  const [first, ...rest] = run(0);
  assert.ok(first);
  assert.equal(rest.length, 0);
  assert.deepEqual(run(1), [], "it is running already");
  watchers.answered(first.selection, { type: "value", reading: { value: 3, degraded: false } });
  const views = new Views().take(watchers.flush(2));
  assert.deepEqual([...views.values.values()], [3, 3]);
  set("cart/alice", {});
  const [second] = run(3);
  assert.ok(second);
  watchers.answered(second.selection, { type: "value", reading: { value: 3, degraded: false } });
  assert.deepEqual(watchers.flush(4), []);
});

test("a change while the query runs makes it run again", () => {
  const { watchers, set } = node();
  watchers.subscribe(request(1, 1, { target: target({ field: "total", query: true }) }));
  const [first] = watchers.flush(0);
  assert.ok(first?.type === "query");
  set("cart/alice", {});
  watchers.flush(1);
  watchers.answered(first.selection, { type: "value", reading: { value: 1, degraded: false } });
  assert.deepEqual(
    watchers.flush(2).map((effect) => effect.type),
    ["query", "send"],
  );
});

test("a query that fails ends its watches with the reason, and only those", () => {
  const { watchers } = node();
  watchers.subscribe(request(1, 1, { target: target({ field: "total", query: true }) }));
  watchers.subscribe(request(1, 2));
  const query = watchers.flush(0).find((effect) => effect.type === "query");
  assert.ok(query);
  const failure = { type: "failed", code: "handler_error", message: "it threw" } as const;
  assert.deepEqual(watchers.answered(query.selection, failure), [
    {
      type: "send",
      link: 1,
      message: {
        type: "watch-end",
        id: 1,
        code: "handler_error",
        message: "it threw",
        primary: "",
      },
    },
  ]);
  assert.equal(watchers.count, 1);
});

test("queries with different inputs are different things", () => {
  const { watchers } = node();
  for (const [id, byte] of [1, 2, 1].entries()) {
    const query = target({ field: "total", query: true, input: Uint8Array.of(byte) });
    watchers.subscribe(request(1, id, { target: query }));
  }
  assert.equal(watchers.flush(0).length, 2);
});

test("a result that becomes undefined, and back, is sent whole", () => {
  const { watchers, set } = node();
  watchers.subscribe(request(1, 1, { target: target({ field: "worst" }) }));
  const views = new Views().take(watchers.flush(0));
  assert.equal(views.values.get("1:1"), undefined);
  set("cart/alice", { worst: 4 });
  views.take(watchers.flush(1));
  set("cart/alice", {});
  views.take(watchers.flush(2));
  assert.deepEqual(views.takeLog(), ["snapshot 1:1", "snapshot 1:1", "snapshot 1:1"]);
  assert.equal(views.values.get("1:1"), undefined);
});

test("degraded service is told even when the value stays", () => {
  const { watchers, set, setDegraded } = node();
  set("cart/alice", { tea: 1 });
  watchers.subscribe(request(1, 1));
  watchers.flush(0);
  setDegraded(true);
  watchers.changed("cart/alice");
  const [effect] = watchers.flush(1);
  assert.ok(effect?.type === "send" && effect.message.type === "snapshot");
  assert.equal(effect.message.degraded, true);
});

test("when a partition moves its watches end with the name of the new primary", () => {
  const { watchers } = node();
  watchers.subscribe(request(1, 1));
  watchers.subscribe(request(1, 2, { partition: 8, target: target({ entity: "cart/bob" }) }));
  const ended = watchers.end((partition) => partition === 7, {
    code: "not_owner",
    message: "moved",
    primary: "node-b",
  });
  assert.deepEqual(
    ended.map((effect) => effect.type === "send" && [effect.message.id, effect.message.type]),
    [[1, "watch-end"]],
  );
  assert.equal(watchers.watches("cart/alice"), false);
  assert.equal(watchers.watches("cart/bob"), true);
});

test("an id that is used again replaces the watch it named", () => {
  const { watchers, set } = node();
  watchers.subscribe(request(1, 1));
  watchers.subscribe(request(1, 1, { target: target({ field: "tea" }) }));
  assert.equal(watchers.count, 1);
  set("cart/alice", { tea: 5 });
  const views = new Views().take(watchers.flush(0));
  assert.equal(views.values.get("1:1"), 5);
});

test("watches beyond the bound of a link are refused and leave nothing behind", () => {
  const { watchers } = node();
  for (let id = 0; id < maxWatchersPerLink; id++)
    assert.deepEqual(watchers.subscribe(request(1, id)), []);
  const other = target({ entity: "cart/bob" });
  const [refused] = watchers.subscribe(request(1, maxWatchersPerLink, { target: other }));
  assert.ok(refused?.type === "send" && refused.message.type === "watch-end");
  assert.equal(refused.message.code, "overloaded");
  assert.equal(watchers.count, maxWatchersPerLink);
  watchers.flush(0);
  assert.equal(watchers.watches("cart/bob"), false);
  assert.deepEqual(watchers.subscribe(request(2, 1)), []);
});

test("an entity is watched in a bounded number of ways, idle ones make room", () => {
  const { watchers } = node();
  const way = (n: number) => ({ target: target({ field: `f${String(n)}` }) });
  for (let n = 0; n < maxSelectionsPerEntity; n++) watchers.subscribe(request(1, n, way(n)));
  const [refused] = watchers.subscribe(request(2, 1, way(-1)));
  assert.ok(refused?.type === "send" && refused.message.type === "watch-end");
  watchers.unsubscribe(1, 3, 0);
  assert.deepEqual(watchers.subscribe(request(2, 1, way(-1))), []);
});

test("whatever happens, every watcher holds the newest state once links have drained", () => {
  const links = [1, 2, 3];
  const step = fc.oneof(
    fc.record({ do: fc.constant("set" as const), key: fc.constantFrom("a", "b"), n: fc.nat(5) }),
    fc.record({ do: fc.constant("flush" as const), later: fc.nat(200) }),
    fc.record({
      do: fc.constantFrom("block" as const, "drain" as const),
      link: fc.constantFrom(...links),
    }),
    fc.record({
      do: fc.constantFrom("watch" as const, "rewatch" as const, "unwatch" as const),
      link: fc.constantFrom(...links),
      field: fc.constantFrom("", "a"),
      wait: fc.constantFrom(0, textIntervalMs),
    }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { watchers, set } = node();
      const views = new Views();
      const live = new Map<string, string>();
      let state: Record<string, Value> = {};
      let now = 0;
      set("cart/alice", state);
      for (const s of steps) {
        if (s.do === "set")
          set("cart/alice", (state = { ...state, [s.key]: [s.n, "x".repeat(40)] }));
        else if (s.do === "flush") views.take(watchers.flush((now += s.later)));
        else if (s.do === "block") watchers.needsResync(s.link);
        else if (!("field" in s)) watchers.drained(s.link);
        else {
          const id = s.field === "" ? 1 : 2;
          const who = `${String(s.link)}:${String(id)}`;
          if (s.do === "unwatch") {
            watchers.unsubscribe(s.link, id, now);
            live.delete(who);
            continue;
          }
          const resume = s.do === "rewatch" ? (views.versions.get(who) ?? "") : "";
          const what = target({ field: s.field, minIntervalMs: s.field === "" ? 0 : s.wait });
          watchers.subscribe(request(s.link, id, { target: what, resume }));
          live.set(who, s.field);
        }
      }
      for (const link of links) watchers.drained(link);
      views.take(watchers.flush(now + textIntervalMs));
      for (const [who, field] of live) {
        assert.deepEqual(views.values.get(who), field === "" ? state : state[field], who);
      }
      assert.equal(watchers.count, live.size);
    }),
    { numRuns: 500 },
  );
});
