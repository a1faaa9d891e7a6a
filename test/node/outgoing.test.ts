import assert from "node:assert/strict";
import { test } from "node:test";
import { LatticeError } from "../../src/model/error.ts";
import { Outgoing, messageBytes, type LinkRoom } from "../../src/node/partitions/outgoing.ts";
import { CopyRounds, roundMs } from "../../src/node/partitions/copy-rounds.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { PartitionMessage } from "../../src/wire/replication-messages.ts";

interface Stage {
  readonly time: VirtualTime;
  readonly outgoing: Outgoing;
  readonly sent: number[][];
  readonly refused: number[];
  room: LinkRoom;
  /** Messages whose link is full after each of them. */
  fillsUp: boolean;
  tooLarge: ReadonlySet<number>;
}

function makeStage(): Stage {
  const time = new VirtualTime({ seed: 1 });
  const stage: Stage = {
    time,
    sent: [],
    refused: [],
    room: "room",
    fillsUp: false,
    tooLarge: new Set(),
    outgoing: new Outgoing({
      timers: time.timers,
      roomFor: () => stage.room,
      send: (_to, { entries }) => {
        const partitions = entries.map(({ partition }) => partition);
        if (partitions.some((partition) => stage.tooLarge.has(partition))) {
          return new LatticeError("too_large", "too large");
        }
        stage.sent.push(partitions);
        if (stage.fillsUp) stage.room = "full";
        return undefined;
      },
      refused: (_to, { partition }) => {
        stage.refused.push(partition);
      },
    }),
  };
  return stage;
}

function delta(bytes: number): PartitionMessage {
  return {
    type: "delta",
    term: { number: 1, process: "a#1" },
    position: 1,
    committed: 1,
    commit: { entity: "ledger/k", writer: 1, sequence: 1, delta: new Uint8Array(bytes) },
    owners: undefined,
  };
}

void test("what is said in one turn leaves in one message, in order", async () => {
  const stage = makeStage();
  for (let i = 0; i < 5; i++) stage.outgoing.push("b#1", i, delta(10));
  assert.deepEqual(stage.sent, []);
  await stage.time.sleep(1);
  assert.deepEqual(stage.sent, [[0, 1, 2, 3, 4]]);
});

void test("much leaves in pieces, and no faster than the link takes it", async () => {
  const stage = makeStage();
  stage.fillsUp = true;
  for (let i = 0; i < 6; i++) stage.outgoing.push("b#1", i, delta(messageBytes / 2));
  await stage.time.sleep(1);
  assert.deepEqual(stage.sent, [[0, 1]]);
  stage.outgoing.push("b#1", 6, delta(1));
  await stage.time.sleep(1);
  assert.deepEqual(stage.sent, [[0, 1]], "the link is full");
  for (let i = 0; i < 3; i++) {
    stage.room = "room";
    stage.outgoing.flush("b#1");
  }
  assert.deepEqual(stage.sent, [[0, 1], [6], [2, 3], [4, 5]]);
  assert.equal(stage.outgoing.countFor("b#1"), 0);
});

void test("commits pass the copies of other partitions, and never their own", async () => {
  const stage = makeStage();
  stage.fillsUp = true;
  for (const partition of [1, 2]) stage.outgoing.push("b#1", partition, delta(messageBytes));
  stage.outgoing.push("b#1", 2, delta(1));
  stage.outgoing.push("b#1", 3, delta(1));
  for (let i = 0; i < 5; i++) {
    await stage.time.sleep(1);
    stage.room = "room";
    stage.outgoing.flush("b#1");
  }
  assert.deepEqual(stage.sent, [[3], [1], [2], [2]]);
  assert.equal(stage.outgoing.countFor("b#1"), 0);
});

void test("what waits for a process whose link is gone is dropped", async () => {
  const stage = makeStage();
  stage.room = "gone";
  stage.outgoing.push("b#1", 0, delta(1));
  await stage.time.sleep(1);
  assert.equal(stage.outgoing.countFor("b#1"), 0);
  stage.room = "full";
  stage.outgoing.push("b#1", 1, delta(1));
  await stage.time.sleep(1);
  stage.outgoing.drop("b#1");
  stage.room = "room";
  stage.outgoing.flush("b#1");
  assert.deepEqual(stage.sent, []);
});

void test("one message too large takes no other with it", async () => {
  const stage = makeStage();
  stage.tooLarge = new Set([2]);
  for (let i = 0; i < 4; i++) stage.outgoing.push("b#1", i, delta(10));
  await stage.time.sleep(1);
  assert.deepEqual(stage.sent, [[0], [1], [3]]);
  assert.deepEqual(stage.refused, [2]);
});

void test("every partition is compared once in a round, and at once after a hurry", async () => {
  const time = new VirtualTime({ seed: 2 });
  const compared: { readonly partition: number; readonly round: number | undefined }[] = [];
  const rounds = new CopyRounds({
    timers: time.timers,
    random: time.random,
    partitionCount: 64,
    compare: (partition, round) => compared.push({ partition, round }),
  });
  rounds.start();
  await time.sleep(roundMs * 1.3);
  assert.equal(new Set(compared.map(({ partition }) => partition)).size, 64);
  assert.ok(compared.length < 128);
  assert.deepEqual([...new Set(compared.map(({ round }) => round))], [0, 1]);
  compared.length = 0;
  rounds.hurry();
  rounds.hurry();
  await time.sleep(2_000);
  const quick = compared.filter(({ round }) => round === undefined);
  assert.equal(quick.length, 64);
  assert.equal(new Set(quick.map(({ partition }) => partition)).size, 64);
  rounds.close();
  compared.length = 0;
  await time.sleep(roundMs * 2);
  assert.deepEqual(compared, []);
});

void test("a base that waits for the end of the turn holds no other partition's base back", async () => {
  const stage = makeStage();
  stage.outgoing.push("b#1", 1, delta(1));
  assert.equal(stage.outgoing.isSending("b#1", 1), false);
  assert.equal(stage.outgoing.isSending("b#1", 2), false);
  stage.outgoing.push("b#1", 3, delta(messageBytes));
  assert.equal(stage.outgoing.isSending("b#1", 3), true, "it has not left");
  stage.room = "full";
  await stage.time.sleep(1);
  assert.equal(stage.outgoing.isSending("b#1", 2), true, "whatever comes waits behind the rest");
  stage.room = "room";
  stage.outgoing.flush("b#1");
  assert.equal(stage.outgoing.isSending("b#1", 3), false);
});
