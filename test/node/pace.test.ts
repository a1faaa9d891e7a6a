/** What concerns every partition at once is done a little at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inheritance } from "../../src/node/calls/inheritance.ts";
import { BaseFlow, basesUnderWayMax } from "../../src/node/partitions/base-flow.ts";
import { Sweep } from "../../src/node/partitions/sweep.ts";
import type { Partitions } from "../../src/node/partitions/partitions.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { Entity } from "../../src/state/entity.ts";

const newcomer = "b#1";

function makeFlow() {
  const time = new VirtualTime({ seed: 1 });
  const looked: number[] = [];
  const { clock, timers } = time;
  const flow: BaseFlow = new BaseFlow({
    clock,
    timers,
    look: (partition) => {
      looked.push(partition);
      if (flow.mayInvite(newcomer, partition)) flow.sent(newcomer, partition);
    },
  });
  const invite = (count: number): void => {
    for (let partition = 0; partition < count; partition++) {
      if (flow.mayInvite(newcomer, partition)) flow.sent(newcomer, partition);
    }
  };
  return { time, flow, looked, invite };
}

test("so many copies go to a newcomer, and the next one when one of them is answered", () => {
  const { flow, looked, invite } = makeFlow();
  invite(basesUnderWayMax + 3);
  assert.deepEqual(looked, []);
  flow.answered(newcomer, 2);
  assert.deepEqual(looked, [basesUnderWayMax]);
  flow.answered(newcomer, 2);
  assert.deepEqual(looked, [basesUnderWayMax], "it has said so already");
  for (let partition = 3; partition < 6; partition++) flow.answered(newcomer, partition);
  assert.deepEqual(looked, [8, 9, 10], "three had to wait");
});

test("a process that answers nothing holds up others and not for ever", async () => {
  const { time, flow, looked, invite } = makeFlow();
  invite(basesUnderWayMax + 1);
  assert.equal(flow.mayInvite("c#1", 0), true, "another process is another matter");
  await time.sleep(4_000);
  assert.deepEqual(looked, []);
  await time.sleep(4_000);
  assert.deepEqual(looked, [basesUnderWayMax]);
  flow.close();
});

test("silence about a copy says nothing while others of its kind are answered", async () => {
  const { time, flow, invite } = makeFlow();
  invite(3);
  assert.equal(flow.isMoving(newcomer, 1), false, "nothing has been answered yet");
  flow.answered(newcomer, 0);
  assert.equal(flow.isMoving(newcomer, 1), true);
  assert.equal(flow.isMoving(newcomer, 0), false, "this one is not under way");
  await time.sleep(2_000);
  assert.equal(flow.isMoving(newcomer, 1), false);
});

test("a link that breaks forgets what was under way over it", () => {
  const { flow, looked, invite } = makeFlow();
  invite(basesUnderWayMax + 1);
  flow.drop(newcomer);
  assert.equal(flow.mayInvite(newcomer, 0), true);
  flow.answered(newcomer, 0);
  assert.deepEqual(looked, []);
});

test("a sweep visits every partition once, in many turns, and again when it is asked again", async () => {
  const time = new VirtualTime({ seed: 1 });
  const visits = new Map<number, number>();
  let turns = 0;
  let at = -1;
  const sweep = new Sweep({
    timers: time.timers,
    partitionCount: 100,
    visit: (partition) => {
      if (time.eventCount !== at) turns += 1;
      at = time.eventCount;
      visits.set(partition, (visits.get(partition) ?? 0) + 1);
      // In the middle of it something changes once more.
      if (partition === 50 && visits.get(partition) === 1) sweep.start();
      return true;
    },
  });
  sweep.start();
  sweep.start();
  await time.sleep(1);
  assert.equal(visits.size, 100);
  assert.ok(turns > 3, `${String(turns)} turns`);
  for (const [partition, count] of visits) assert.equal(count, partition <= 50 ? 2 : 1);
  sweep.stop();
  sweep.start();
  await time.sleep(1);
  assert.equal(visits.get(0), 2);
});

test("a sweep visits what is urgent first, and that once more with the others", async () => {
  const time = new VirtualTime({ seed: 1 });
  const visited: number[] = [];
  const sweep = new Sweep({
    timers: time.timers,
    partitionCount: 40,
    visit: (partition) => visited.push(partition) > 0,
  });
  sweep.start([7, 30]);
  sweep.start([30, 2]);
  await time.sleep(1);
  assert.deepEqual(visited.slice(0, 5), [7, 30, 2, 0, 1]);
  assert.equal(visited.length, 43);
});

test("what is left to do in partitions that a node begins to lead is taken up a few at a time", async () => {
  const time = new VirtualTime({ seed: 1 });
  const taken: string[] = [];
  const replica = {
    entityNames: () => ["f/a", "f/unborn", "f/b"],
    committedEntity: (name: string) => (name === "f/unborn" ? undefined : Entity.create(name)),
  };
  const inheritance = new Inheritance({
    timers: time.timers,
    partitions: { replica: () => replica } as unknown as Pick<Partitions, "replica">,
    heirs: [{ entityChanged: (partition, { name }) => taken.push(`${String(partition)} ${name}`) }],
  });
  for (let partition = 0; partition < 9; partition++) inheritance.began(partition);
  inheritance.began(0);
  inheritance.ended(1);
  assert.deepEqual(taken, []);
  const counts: number[] = [];
  time.timers.afterPoll(() => counts.push(taken.length));
  time.timers.afterPoll(() => time.timers.afterPoll(() => counts.push(taken.length)));
  await time.run();
  assert.deepEqual(counts, [8, 16]);
  assert.deepEqual(taken.slice(0, 4), ["0 f/a", "0 f/b", "2 f/a", "2 f/b"]);
  inheritance.began(10);
  inheritance.stop();
  await time.run();
  assert.equal(taken.length, 16);
});
