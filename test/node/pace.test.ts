/** What concerns every partition at once is done a little at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inheritance } from "../../src/node/calls/inheritance.ts";
import { BaseFlow, basesUnderWayMax } from "../../src/node/partitions/base-flow.ts";
import { TimerSet } from "../../src/node/timer-set.ts";
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

/** What a sweep visits, by the millisecond. */
function makeSweep(
  partitionCount: number,
  isAwaited: (partition: number) => boolean = () => false,
) {
  const time = new VirtualTime({ seed: 1 });
  const visits: { readonly partition: number; readonly at: number }[] = [];
  const sweep = new Sweep({
    timers: time.timers,
    partitionCount,
    isAwaited,
    visit: (partition) => visits.push({ partition, at: Math.floor(time.now) }) > 0,
  });
  const visited = (): readonly number[] => visits.map(({ partition }) => partition);
  return { time, sweep, visits, visited };
}

test("a sweep visits every partition once, a few at a time, and again when it is asked again", async () => {
  const { time, sweep, visits, visited } = makeSweep(100);
  sweep.start();
  sweep.start();
  await time.sleep(13);
  assert.equal(visits.length, 48);
  // In the middle of it something changes once more.
  sweep.start();
  await time.sleep(60);
  const counts = Array.from({ length: 100 }, (_, n) => visited().filter((one) => one === n).length);
  for (const [partition, count] of counts.entries()) assert.equal(count, partition < 48 ? 2 : 1);
  const times = [...new Set(visits.map(({ at }) => at))];
  assert.ok(times.length >= 10, `at ${times.join(", ")} ms`);
  sweep.stop();
  sweep.start();
  await time.sleep(10);
  assert.equal(visits.length, 148);
});

test("a sweep visits what is urgent first, and that once more with the others", async () => {
  const { time, sweep, visited } = makeSweep(40);
  sweep.start([7, 30]);
  sweep.start([30, 2]);
  await time.sleep(20);
  assert.deepEqual(visited().slice(0, 5), [7, 30, 2, 0, 1]);
  assert.equal(visited().length, 43);
});

test("a sweep visits at once what calls wait for, and goes on with the others meanwhile", async () => {
  const { time, sweep, visited } = makeSweep(64, (partition) => partition >= 60);
  sweep.hurry(50);
  await time.sleep(1);
  assert.deepEqual(visited(), [], "nothing is to be visited");
  sweep.start([9, 60, 61, 62, 63, 10]);
  sweep.hurry(33);
  await time.sleep(0.5);
  assert.deepEqual(visited(), [60, 61, 62, 63]);
  await time.sleep(1);
  assert.deepEqual(visited().slice(4), [33]);
  // Calls that come all the time do not hold the others up.
  for (let ms = 0; ms < 20; ms++) {
    sweep.hurry(40 + ms);
    await time.sleep(1);
  }
  assert.ok(visited().indexOf(9) < visited().indexOf(45), visited().join(", "));
  for (let partition = 0; partition < 64; partition++) {
    assert.ok(visited().includes(partition), `partition ${String(partition)}`);
  }
});

test("what is left to do in partitions that a node begins to lead is taken up a few at a time", async () => {
  const time = new VirtualTime({ seed: 1 });
  const taken: string[] = [];
  const replica = {
    entityNames: () => ["f/a", "f/unborn", "f/b"],
    committedEntity: (name: string) => (name === "f/unborn" ? undefined : Entity.create(name)),
  };
  const timers = new TimerSet(time.timers);
  const inheritance = new Inheritance({
    timers,
    partitions: { replica: () => replica } as unknown as Pick<Partitions, "replica">,
    heirs: [{ entityChanged: (partition, { name }) => taken.push(`${String(partition)} ${name}`) }],
  });
  for (let partition = 0; partition < 9; partition++) inheritance.began(partition);
  inheritance.began(0);
  inheritance.ended(1);
  assert.deepEqual(taken, []);
  await time.sleep(3);
  assert.equal(taken.length, 8);
  await time.run();
  assert.equal(taken.length, 16);
  assert.deepEqual(taken.slice(0, 4), ["0 f/a", "0 f/b", "2 f/a", "2 f/b"]);
  inheritance.began(10);
  timers.close();
  await time.run();
  assert.equal(taken.length, 16);
});
