/** How events reach their readers and the log; what happens in a cluster is in `events.test.ts`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Member } from "../../src/membership/member.ts";
import { LatticeError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { Announcer, type Happening } from "../../src/node/events/announcer.ts";
import { EventFeed } from "../../src/node/events/event-feed.ts";
import { EventLog } from "../../src/node/events/event-log.ts";
import type { EventReader } from "../../src/node/events/event-reader.ts";
import { memberEvents } from "../../src/node/events/member-events.ts";
import { movedCount } from "../../src/node/events/moved-count.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { PartitionNews } from "../../src/node/events/partition-news.ts";
import { ReplicationWatch } from "../../src/node/events/replication-watch.ts";
import { TimerSet } from "../../src/node/timer-set.ts";
import type { Logger } from "../../src/platform/platform.ts";
import { silentLogger } from "../../src/platform/silent-logger.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { RoleChange, Serving } from "../../src/replication/effect.ts";
import { placementOf } from "../../src/ring/placement.ts";

function dead(node: string, at = 0): NodeEvent {
  return { type: "member.dead", at, node };
}

/** All that is read until the stream ends. */
async function rest(reader: EventReader): Promise<NodeEvent[]> {
  const events: NodeEvent[] = [];
  for await (const event of reader) events.push(event);
  return events;
}

/** An announcer whose log is silent, and a reader of it. */
function announced() {
  const time = new VirtualTime({ seed: 1 });
  const feed = new EventFeed();
  const events = new Announcer(time.clock, new EventLog(time.timers, silentLogger), feed);
  return { time, feed, events };
}

void test("readers are told alike, each from when it came, until the feed ends", async () => {
  const feed = new EventFeed();
  const first = feed.read();
  feed.publish(dead("a"));
  const second = feed.read();
  feed.publish(dead("b"));
  feed.close();
  assert.deepEqual(await rest(first), [dead("a"), dead("b")]);
  assert.deepEqual(await rest(second), [dead("b")]);
  assert.deepEqual(await rest(feed.read()), []);
});

void test("a reader that waits is told at once, and one that left hears no more", async () => {
  const feed = new EventFeed();
  const reader = feed.read();
  const steps = [reader.next(), reader.next()];
  feed.publish(dead("a"));
  feed.publish(dead("b"));
  assert.deepEqual(
    (await Promise.all(steps)).map(({ value }) => value as NodeEvent),
    [dead("a"), dead("b")],
  );
  const waiting = reader.next();
  feed.publish(dead("c"));
  feed.publish(dead("d"));
  assert.deepEqual(await waiting, { value: dead("c"), done: false });
  assert.equal(feed.isHeard, true);
  await reader.return();
  assert.equal(feed.isHeard, false);
  feed.publish(dead("e"));
  assert.deepEqual(await rest(reader), []);
});

void test("leaving the loop leaves the feed", async () => {
  const feed = new EventFeed();
  const reader = feed.read();
  feed.publish(dead("a"));
  feed.publish(dead("b"));
  for await (const event of reader) {
    assert.deepEqual(event, dead("a"));
    break;
  }
  assert.equal(feed.isHeard, false);
});

void test("a slow reader loses the oldest events and is told how many, once", async () => {
  const feed = new EventFeed();
  const slow = feed.read();
  const quick = feed.read();
  const total = limits.eventBacklogMax + 10;
  for (let at = 0; at < total; at++) {
    feed.publish(dead(`n${String(at)}`, at));
    assert.equal(((await quick.next()).value as NodeEvent).at, at);
  }
  feed.publish(dead("last", total));
  feed.close();
  const events = await rest(slow);
  assert.deepEqual(events[0], { type: "events.dropped", at: 10, count: 11 });
  assert.deepEqual(events[1], dead("n11", 11));
  assert.deepEqual(events.at(-1), dead("last", total));
  assert.equal(events.length, 1 + limits.eventBacklogMax);
  assert.deepEqual(await rest(quick), [dead("last", total)]);
});

void test("the number of readers is bounded", async () => {
  const feed = new EventFeed();
  const readers = Array.from({ length: limits.eventReadersMax }, () => feed.read());
  assert.throws(
    () => feed.read(),
    (error) => error instanceof LatticeError && error.code === "overloaded",
  );
  await readers[0]!.return();
  feed.read();
});

void test("what the record of a member becomes says what happened to it", () => {
  const member = (change: Partial<Member>): Member => ({
    id: "b",
    boot: 1,
    address: "ws://b:7400",
    zone: "",
    weight: 1,
    refutations: 0,
    status: "alive",
    leaving: false,
    restarts: 0,
    resting: false,
    statusAt: 0,
    ...change,
  });
  const told = (after: Partial<Member>, before?: Partial<Member>): string[] =>
    memberEvents(member(after), before && member(before)).map((event) =>
      event.type === "member.refuted" ? `${event.type} ${event.was}` : event.type,
    );
  const cases: readonly (readonly [Partial<Member>, Partial<Member> | undefined, string[]])[] = [
    [{}, undefined, ["member.joined"]],
    [{ leaving: true }, undefined, ["member.joined", "member.leaving"]],
    [{ status: "suspect" }, undefined, ["member.suspected"]],
    [{ status: "dead" }, undefined, ["member.dead"]],
    [{ status: "left" }, undefined, []],
    [{ status: "suspect" }, {}, ["member.suspected"]],
    [{}, { status: "suspect" }, ["member.refuted suspect"]],
    [{}, { status: "dead" }, ["member.refuted dead"]],
    [{ boot: 2 }, { status: "dead" }, ["member.joined"]],
    [{ boot: 2 }, { status: "left" }, ["member.joined"]],
    [{ boot: 2 }, {}, ["member.joined"]],
    [{ status: "dead" }, { status: "suspect" }, ["member.dead"]],
    [{ status: "dead", boot: 2 }, { status: "dead" }, []],
    [{ leaving: true }, {}, ["member.leaving"]],
    [{ leaving: true, status: "suspect" }, { leaving: true }, ["member.suspected"]],
    [{ leaving: true, status: "left" }, { leaving: true }, ["member.left"]],
    [{ leaving: true, status: "dead" }, {}, ["member.dead"]],
    [{ restarts: 3, resting: true }, undefined, ["member.joined", "member.resting"]],
    [{ boot: 2, resting: true }, { resting: true }, ["member.joined", "member.resting"]],
    [{ resting: true }, {}, ["member.resting"]],
    [{ status: "suspect", resting: true }, { resting: true }, ["member.suspected"]],
    [{ status: "dead", resting: true }, { resting: true }, ["member.dead"]],
    [{ restarts: 3 }, { restarts: 3, resting: true }, ["member.rested"]],
    [{}, { restarts: 3 }, []],
    [{ zone: "west" }, {}, []],
  ];
  for (const [after, before, events] of cases) {
    assert.deepEqual(told(after, before), events, JSON.stringify({ after, before }));
  }
});

void test("a role is told when it begins and ends, however often it is confirmed", () => {
  const { feed, events } = announced();
  const news = new PartitionNews(events);
  const reader = feed.read();
  const change = (number: number, serving: Serving): void => {
    const role = serving === "primary" ? "primary" : "follower";
    const term = { number, process: "a#1" };
    const roleChange: RoleChange = { type: "role-changed", role, serving, term, primary: "a#1" };
    news.roleChanged(7, roleChange);
  };
  for (const [number, serving] of [
    [1, "primary"],
    [1, "primary"],
    [1, "degraded"],
    [1, "degraded"],
    [2, "primary"],
    [3, "primary"],
    [3, undefined],
    [4, undefined],
  ] as const) {
    change(number, serving);
  }
  feed.close();
  return rest(reader).then((read) => {
    assert.deepEqual(
      read.map((event) => `${event.type} ${"term" in event ? String(event.term) : ""}`.trim()),
      [
        "primary.began 1",
        "primary.ended 1",
        "degraded.began",
        "degraded.ended",
        "primary.began 2",
        "primary.ended 2",
        "primary.began 3",
        "primary.ended 3",
      ],
    );
  });
});

void test("who leads a partition tells who came and went among its owners", async () => {
  const { feed, events } = announced();
  const news = new PartitionNews(events);
  const set = (processes: readonly string[], previous: readonly string[] = []) => ({
    processes,
    position: 1,
    previous: previous.length === 0 ? [] : [{ processes: previous, position: 1 }],
  });
  news.ownersChanged(1, set(["a#1", "b#1"], ["a#1"]), true); // nobody reads yet
  const reader = feed.read();
  news.ownersChanged(1, set(["a#1", "c#1"]), true);
  news.ownersChanged(1, set(["a#1", "c#1"]), true);
  news.ownersChanged(2, set(["b#1", "a#1"]), false); // as a follower
  news.ownersChanged(2, set(["a#1"]), true); // it has taken over from b
  news.ownersChanged(3, set(["a#1", "b#1"], ["a#1"]), true); // born here, and shared
  feed.close();
  assert.deepEqual(
    (await rest(reader)).map(({ at: _, ...event }) => event as unknown),
    [
      [1, ["a#1", "c#1"], ["c#1"], ["b#1"]],
      [2, ["a#1"], [], ["b#1"]],
      [3, ["a#1", "b#1"], ["b#1"], []],
    ].map(([partition, owners, added, removed]) => {
      return { type: "owners.changed", partition, owners, added, removed };
    }),
  );
});

void test("copies that lack are counted when they have lacked for two seconds", async () => {
  const { time, feed, events } = announced();
  const lacking = new Set<number>();
  const timers = new TimerSet(time.timers);
  const watch = new ReplicationWatch({ timers, events, underReplicated: () => lacking });
  const reader = feed.read();
  watch.start();
  watch.start();
  lacking.add(1);
  await time.sleep(1_400);
  lacking.delete(1); // for a moment: no news
  lacking.add(2).add(3);
  await time.sleep(2_500);
  lacking.delete(2);
  await time.sleep(600);
  lacking.clear();
  await time.sleep(600);
  await reader.next().then(({ value }) => {
    assert.deepEqual((value as NodeEvent).type, "underReplicated.changed");
    assert.deepEqual((value as { partitionCount: number }).partitionCount, 2);
  });
  assert.equal(((await reader.next()).value as { partitionCount: number }).partitionCount, 1);
  assert.equal(((await reader.next()).value as { partitionCount: number }).partitionCount, 0);
  await reader.return();
  await time.sleep(1_000);
  assert.equal(timers.count, 0, "nobody reads, nobody looks");
});

void test("partitions are moved when their owners are others, or in another order", () => {
  const members = ["a", "b", "c"].map((id) => ({ id, weight: 1, zone: "" }));
  const settings = { partitionCount: 16, replicas: 3 };
  const before = placementOf(members, settings);
  assert.equal(movedCount(before, undefined), 16);
  assert.equal(movedCount(placementOf(members, settings), before), 0);
  assert.equal(movedCount(placementOf(members.slice(1), settings), before), 16);
});

void test("a burst is one line of the log per kind, with names up to a bound", async () => {
  const time = new VirtualTime({ seed: 1 });
  const lines: { readonly message: string; readonly fields: unknown }[] = [];
  const write = (message: string, fields?: unknown): void => {
    lines.push({ message, fields });
  };
  const logger: Logger = {
    level: "info",
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: () => logger,
  };
  const feed = new EventFeed();
  const events = new Announcer(time.clock, new EventLog(time.timers, logger), feed);
  const tell = (...happenings: readonly Happening[]): void => {
    for (const happening of happenings) events.tell(happening);
  };
  for (let partition = 0; partition < 300; partition++) {
    tell({ type: "primary.began", partition, term: 1 });
    tell({ type: "primary.ended", partition, term: 1 });
    tell({ type: "primary.began", partition, term: 2 });
  }
  for (let i = 0; i < 20; i++) tell({ type: "member.dead", node: `n${String(i)}` });
  tell(
    { type: "member.leaving", node: "x" },
    { type: "degraded.began", partition: 1 },
    { type: "fork.merged", partition: 1, commitCount: 4 },
    { type: "fork.merged", partition: 2, commitCount: 6 },
    { type: "diverged", partition: 3, primary: "b#1" },
    { type: "underReplicated.changed", partitionCount: 3 },
  );
  await time.sleep(1_000);
  assert.deepEqual(lines, [
    {
      message: "a copy differed from its primary's: it is replaced",
      fields: { partition: 3, primary: "b#1" },
    },
    {
      message: "members: dead",
      fields: { count: 20, nodes: Array.from({ length: 16 }, (_, i) => `n${String(i)}`) },
    },
    { message: "members: leaving", fields: { count: 1, nodes: ["x"] } },
    { message: "partitions changed hands", fields: { taken: 300, given: 300 } },
    { message: "serves without a majority of the owners", fields: { partitions: 1 } },
    { message: "merged what was done without a majority", fields: { commits: 10 } },
  ]);
});
