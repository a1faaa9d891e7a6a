/** The small parts, each by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestPart } from "../../src/membership/digest.ts";
import type { HelloFacts } from "../../src/membership/hello-judgement.ts";
import { judgeHello } from "../../src/membership/hello-judgement.ts";
import type { Member } from "../../src/membership/member.ts";
import { memberOf } from "../../src/membership/member.ts";
import { News } from "../../src/membership/news.ts";
import { nextPlacementAt, placementOf, samePlacement } from "../../src/membership/placement.ts";
import { Roster } from "../../src/membership/roster.ts";
import { membershipSettings } from "../../src/membership/settings.ts";
import { ShuffledCycle } from "../../src/membership/shuffled-cycle.ts";
import { splitStatements, statementBytes } from "../../src/membership/statement-size.ts";
import { seededRandom } from "./support/seeded-random.ts";
import { update } from "./support/update.ts";

function member(id: string, changes: Partial<Member> = {}): Member {
  return { ...memberOf(update(id), 0), ...changes };
}

/** The digest of a table that was filled in this order; its first record is the node's own. */
function digestOf(table: readonly Member[]): number {
  const roster = new Roster(table[0]!, membershipSettings(), seededRandom(1));
  for (const one of table.slice(1)) roster.put(one);
  return roster.digest;
}

test("a cycle visits everybody once a round", () => {
  const cycle = new ShuffledCycle(seededRandom(3));
  for (const id of ["a", "b", "c", "d", "e"]) cycle.add(id);
  for (let node = cycle.next(); node !== "e"; node = cycle.next()) assert.ok(node !== undefined);
  cycle.remove("c");
  const visits = new Map<string, number>();
  for (let index = 0; index < 40; index++) {
    const node = cycle.next()!;
    visits.set(node, (visits.get(node) ?? 0) + 1);
  }
  assert.deepEqual([...visits.keys()].sort(), ["a", "b", "d", "e"]);
  for (const count of visits.values()) assert.ok(count >= 9 && count <= 11);
});

test("a cycle hands out no node twice in one take, and all of them at most", () => {
  const cycle = new ShuffledCycle(seededRandom(4));
  assert.deepEqual(cycle.take(3), []);
  assert.equal(cycle.next(), undefined);
  for (const id of ["a", "b", "c", "d"]) cycle.add(id);
  for (let index = 0; index < 50; index++) {
    assert.equal(new Set(cycle.take(3)).size, 3);
    assert.deepEqual([...cycle.take(9)].sort(), ["a", "b", "c", "d"]);
  }
});

test("a cycle that keeps its order reaches n nodes with n steps from anywhere", () => {
  const cycle = new ShuffledCycle(seededRandom(5), { reshuffled: false });
  for (let index = 0; index < 8; index++) cycle.add(String(index));
  for (let start = 0; start < 20; start++) {
    const seen = new Set(Array.from({ length: 8 }, () => cycle.next()));
    assert.equal(seen.size, 8);
    cycle.next();
  }
});

test("fresh news goes before news that was told already, and ends after its count", () => {
  const news = new News(membershipSettings({ messageMembersMax: 1 }));
  news.add(update("a"));
  assert.equal(news.take(10)[0]?.node, "a");
  news.add(update("b"));
  assert.equal(news.take(10)[0]?.node, "b");
  for (let index = 0; index < 16; index++) assert.equal(news.take(10).length, 1);
  assert.deepEqual(news.take(10), []);
  assert.equal(news.size, 0);
});

test("newer news about a member replaces the older", () => {
  const news = new News(membershipSettings());
  news.add(update("a"));
  news.take(10);
  news.add(update("a", { status: "suspect", from: "b" }));
  assert.equal(news.size, 1);
  assert.equal(news.take(10)[0]?.status, "suspect");
});

test("looking at news uses nothing up, and an accusation goes ahead once", () => {
  const news = new News(membershipSettings());
  const accusation = update("a", { status: "suspect", from: "b" });
  news.add(accusation);
  news.add(update("c"));
  for (let index = 0; index < 20; index++) {
    assert.deepEqual(
      news.peek(accusation).map(({ node }) => node),
      ["a", "c"],
    );
  }
  assert.equal(news.size, 2);
});

test("too much news drops what was told most often", () => {
  const news = new News(membershipSettings({ newsCountMax: 3 }));
  news.add(update("told"));
  news.take(10);
  for (const id of ["a", "b", "c"]) news.add(update(id));
  assert.deepEqual(
    news.take(10).map(({ node }) => node),
    ["a", "b", "c"],
  );
});

test("messages keep within bytes and members", () => {
  const rows = Array.from({ length: 2000 }, (_, index) => update(`node-${index}`));
  const byBytes = splitStatements(rows, 16_000, 512);
  assert.deepEqual(byBytes.flat(), rows);
  for (const part of byBytes) {
    assert.ok(part.length <= 512);
    assert.ok(part.reduce((sum, row) => sum + statementBytes(row), 0) <= 16_000);
  }
  assert.deepEqual(
    splitStatements(rows, 1e9, 512).map(({ length }) => length),
    [512, 512, 512, 464],
  );
  assert.deepEqual(splitStatements([], 16_000, 512), [[]]);
});

test("a digest depends on what is said of the living and on nothing else", () => {
  const table = ["a", "b", "c"].map((id) => member(id));
  const digest = digestOf(table);
  assert.equal(digestOf(table.toReversed()), digest);
  assert.equal(digestOf([...table, member("d", { status: "dead" })]), digest);
  assert.equal(digestOf([...table, member("d", { status: "left" })]), digest);
  assert.equal(digestOf(table.map((one) => ({ ...one, statusAt: 99 }))), digest);
  const changes: Partial<Member>[] = [
    { boot: 2048 },
    { refutations: 1 },
    { status: "suspect" },
    { leaving: true },
    { restarts: 1 },
    { resting: true },
    { status: "dead" },
  ];
  for (const change of changes) {
    const other = [...table.slice(1), member("a", change)];
    assert.notEqual(digestOf(other), digest, JSON.stringify(change));
  }
  assert.ok(digest >= 0 && digest < 2 ** 32);
});

test("a table keeps its digest up to date through every change of a record", () => {
  const random = seededRandom(9);
  const settings = membershipSettings({ recordCountMax: 3, recordLifeMs: 50 });
  const roster = new Roster(member("self"), settings, random);
  const statuses = ["alive", "suspect", "dead", "left"] as const;
  for (let step = 0; step < 500; step++) {
    const id = `m${String(Math.floor(random() * 12))}`;
    const status = statuses[Math.floor(random() * 4)]!;
    roster.put(member(id, { status, refutations: step, statusAt: step }));
    if (step % 40 === 0) roster.expire(step);
    const sum = [...roster.members.values()].reduce((total, one) => total + digestPart(one), 0);
    assert.equal(roster.digest, sum % 2 ** 32);
  }
});

test("placement keeps suspects and the newly dead and drops who leaves or left", () => {
  const table = [
    member("f", { status: "dead", statusAt: 0 }),
    member("e", { status: "dead", statusAt: 5001 }),
    member("d", { status: "left", statusAt: 14_000 }),
    member("c", { status: "dead", statusAt: 14_000, leaving: true }),
    member("b", { status: "suspect" }),
    member("a"),
    member("g", { leaving: true }),
  ];
  const placed = placementOf(table, 15_000, { reassignDelayMs: 10_000, replicas: 3 });
  assert.deepEqual(
    placed.map(({ id }) => id),
    ["a", "b", "e"],
  );
  assert.equal(nextPlacementAt(placed, 10_000), 15_001);
  assert.equal(nextPlacementAt(placed.slice(0, 2), 10_000), Infinity);
  assert.ok(samePlacement(placed, [member("a"), member("b"), member("e")]));
  assert.ok(!samePlacement(placed, [member("a"), member("b")]));
  assert.ok(!samePlacement([member("a")], [member("a", { weight: 2 })]));
  assert.ok(!samePlacement([member("a")], [member("a", { zone: "x" })]));
});

test("a newcomer is judged by what is known of its id", () => {
  const facts: HelloFacts = {
    newcomer: { id: "x", boot: 50 },
    self: member("me", { boot: 7 }),
    known: undefined,
    linkedBoot: undefined,
    testedAt: undefined,
    heardAt: -Infinity,
    waitMs: 2000,
    now: 1000,
  };
  const x = member("x", { boot: 40 });
  const cases: readonly (readonly [Partial<HelloFacts>, string])[] = [
    [{}, "accept"],
    [{ newcomer: { id: "me", boot: 7 } }, "refuse same_node"],
    [{ newcomer: { id: "me", boot: 8 } }, "refuse duplicate_node"],
    [{ self: member("me", { status: "left" }) }, "refuse leaving"],
    [{ known: x }, "accept"],
    [{ known: { ...x, boot: 50 } }, "accept"],
    [{ known: { ...x, boot: 50 }, linkedBoot: 50 }, "accept"],
    [{ known: { ...x, boot: 50, status: "dead" } }, "accept"],
    [{ known: { ...x, boot: 50, status: "left" } }, "refuse boot_too_low"],
    [{ known: { ...x, boot: 51 } }, "refuse boot_too_low"],
    [{ known: { ...x, status: "left" } }, "accept"],
    [{ known: x, linkedBoot: 40 }, "wait"],
    [{ known: x, linkedBoot: 40, testedAt: 500, heardAt: 400 }, "wait"],
    [{ known: x, linkedBoot: 40, testedAt: 500, heardAt: 501 }, "refuse duplicate_node"],
    [{ known: x, linkedBoot: 40, testedAt: 500, now: 2500 }, "accept"],
  ];
  for (const [change, expected] of cases) {
    const judgement = judgeHello({ ...facts, ...change });
    const got = judgement.type === "refuse" ? `refuse ${judgement.code}` : judgement.type;
    assert.equal(got, expected, JSON.stringify(change));
  }
  const tooLow = judgeHello({ ...facts, known: { ...x, boot: 51 } });
  assert.deepEqual(tooLow, { type: "refuse", code: "boot_too_low", rememberedBoot: 51 });
});
