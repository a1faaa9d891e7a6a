import assert from "node:assert/strict";
import { test } from "node:test";
import {
  PeerBook,
  silentSuspectMs,
  unansweredRedialMs,
} from "../../src/node/partitions/peer-book.ts";
import { bootOf } from "../../src/model/ids.ts";

const self = "a#1000";
const peer = "b#2000";
const earlier = "b#1500";
const later = "b#3000";

interface Facts {
  readonly reachable: boolean;
  readonly lost: boolean;
  readonly provenDead: boolean;
}

interface Stage {
  readonly book: PeerBook;
  at: number;
  heardAt: number | undefined;
}

function makeStage(): Stage {
  const stage: Stage = {
    book: new PeerBook(
      self,
      () => stage.at,
      () => stage.heardAt,
    ),
    at: 10_000,
    heardAt: 10_000,
  };
  return stage;
}

function facts({ book }: Stage, process: string): Facts {
  return {
    reachable: book.reachable(process),
    lost: book.lost(process),
    provenDead: book.provenDead(process),
  };
}

const well: Facts = { reachable: true, lost: false, provenDead: false };
const away: Facts = { reachable: false, lost: false, provenDead: false };
const gone: Facts = { reachable: false, lost: true, provenDead: false };
const proven: Facts = { reachable: false, lost: true, provenDead: true };

/** What happened, of which process, and what is to be believed then. */
const table: [string, (stage: Stage) => void, string, Facts][] = [
  ["linked", ({ book }) => book.linkUp(peer), peer, well],
  ["this process itself", () => undefined, self, well],
  ["an earlier life of this node", () => undefined, "a#900", proven],
  ["the link broke just now", (stage) => broke(stage, 0), peer, away],
  [
    "the re-dial is unanswered for a moment",
    (stage) => broke(stage, unansweredRedialMs - 1),
    peer,
    away,
  ],
  ["the re-dial is unanswered for long", (stage) => broke(stage, unansweredRedialMs), peer, gone],
  ["the re-dial is refused", (stage) => told(stage, "refused"), peer, gone],
  ["another process answers", (stage) => told(stage, "replaced"), peer, gone],
  ["it said goodbye", (stage) => told(stage, "goodbye"), peer, gone],
  ["the re-dial was not answered yet", (stage) => told(stage, "unreachable"), peer, away],
  [
    "suspect, and heard just now",
    ({ book }) => {
      book.linkUp(peer);
      book.memberChanged({ id: "b", boot: bootOf(peer), status: "suspect", leaving: false });
    },
    peer,
    away,
  ],
  [
    "suspect, and silent",
    (stage) => {
      stage.book.linkUp(peer);
      stage.book.memberChanged({ id: "b", boot: bootOf(peer), status: "suspect", leaving: false });
      stage.at += silentSuspectMs;
    },
    peer,
    gone,
  ],
  [
    "held dead, though linked",
    ({ book }) => {
      book.linkUp(peer);
      book.memberChanged({ id: "b", boot: bootOf(peer), status: "dead", leaving: false });
    },
    peer,
    gone,
  ],
  [
    "left",
    ({ book }) => {
      book.linkUp(peer);
      book.memberChanged({ id: "b", boot: bootOf(peer), status: "left", leaving: true });
    },
    peer,
    { ...gone, reachable: true },
  ],
  [
    "leaving, and still there to hand over",
    ({ book }) => {
      book.linkUp(peer);
      book.memberChanged({ id: "b", boot: bootOf(peer), status: "alive", leaving: true });
    },
    peer,
    well,
  ],
  ["a later life is linked", ({ book }) => book.linkUp(later), peer, proven],
  [
    "a later life was linked once",
    (stage) => {
      stage.book.linkUp(later);
      stage.book.linkDown(later);
    },
    peer,
    gone,
  ],
  ["an earlier life of somebody linked", ({ book }) => book.linkUp(peer), earlier, proven],
  ["never heard of", () => undefined, peer, away],
  [
    "declared gone by an operator",
    (stage) => {
      broke(stage, unansweredRedialMs);
      stage.book.memberChanged({ id: "b", boot: bootOf(peer), status: "gone", leaving: false });
    },
    peer,
    proven,
  ],
];

for (const [what, happens, process, expected] of table) {
  void test(`of a process: ${what}`, () => {
    const stage = makeStage();
    happens(stage);
    assert.deepEqual(facts(stage, process), expected);
  });
}

void test("evidence counts once, only of the newest life, and not against a link", () => {
  const { book } = makeStage();
  book.linkUp(peer);
  assert.equal(book.note("b", 2_000, "refused"), false, "it is linked");
  book.linkDown(peer);
  assert.equal(book.note("b", 1_500, "refused"), false, "an earlier life");
  assert.equal(book.note("b", 2_000, "unreachable"), true);
  assert.equal(book.note("b", 2_000, "unreachable"), false, "known");
  assert.equal(book.note("b", 2_000, "refused"), true);
  book.linkUp(peer);
  assert.equal(book.lost(peer), false);
});

void test("a broken link of an earlier life says nothing of the present one", () => {
  const { book } = makeStage();
  book.linkUp(earlier);
  book.linkUp(peer);
  book.linkDown(earlier);
  assert.equal(book.linked(peer), true);
  assert.equal(book.presentOf("b"), peer);
  assert.equal(book.presentOf("a"), self);
});

function broke(stage: Stage, agoMs: number): void {
  stage.book.linkUp(peer);
  stage.book.linkDown(peer);
  stage.at += agoMs;
}

function told(stage: Stage, evidence: "refused" | "replaced" | "goodbye" | "unreachable"): void {
  broke(stage, 0);
  stage.book.note("b", 2_000, evidence);
}
