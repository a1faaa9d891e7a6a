/** Histories as long, as concurrent and as full of unanswered calls as a proof makes them, and more so. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Random } from "../../../src/model/random.ts";
import { seededRandom } from "../../../src/platform/seeded-random.ts";
import { atomicHistory } from "./atomic-history.ts";
import { counter, register, type Model } from "./model.ts";
import type { Input, Operation, State } from "./operation.ts";
import { search } from "./search.ts";
import {
  sequentialCounter,
  sequentialRegister,
  type SequentialObject,
} from "./sequential-object.ts";

const operations = 600;
const seeds = 5;
/** A second's worth on a slow machine; without what `search.ts` leaves out it would be millions. */
const configurationsMax = 2_000;

interface Kind {
  readonly model: Model;
  readonly newObject: () => SequentialObject;
  readonly change: (n: number) => Input;
  /** Whether changes are told what came of them. */
  readonly tells: boolean;
  /** What the object was not at the time. */
  readonly wrong: (answer: State) => State;
}

const kinds: Readonly<Record<string, Kind>> = {
  "a register": {
    model: register(""),
    newObject: () => sequentialRegister(""),
    change: (n) => ({ type: "write", value: `w${n}` }),
    tells: false,
    wrong: () => "never written",
  },
  "a counter that tells its sums": {
    model: counter(),
    newObject: sequentialCounter,
    change: () => ({ type: "add", by: 1 }),
    tells: true,
    wrong: (sum) => Number(sum) + 100,
  },
  "a counter that tells nothing": {
    model: counter(),
    newObject: sequentialCounter,
    change: () => ({ type: "add", by: 1 }),
    tells: false,
    wrong: (sum) => Number(sum) - 100,
  },
};

function longHistory({ newObject, change, tells }: Kind, random: Random): Operation[] {
  const history = atomicHistory({
    ...{ random, operations, object: newObject(), processes: 20, unknownShare: 0.1 },
    inputOf: (n) => (random() < 0.5 ? { type: "read" } : change(n)),
  });
  return history.map((operation) =>
    tells || operation.input.type === "read" ? operation : { ...operation, output: undefined },
  );
}

/** One of the last answers is wrong. */
function spoilt({ wrong }: Kind, history: readonly Operation[]): Operation[] {
  const victim = history.findLastIndex(
    ({ output, returnedAt }) => output !== undefined && returnedAt !== undefined,
  );
  return history.map((operation, index) =>
    index === victim ? { ...operation, output: wrong(operation.output!) } : operation,
  );
}

for (const [name, kind] of Object.entries(kinds)) {
  describe(`${name} with ${operations} operations of 20 processes, a tenth of them unanswered`, () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const history = longHistory(kind, seededRandom(seed));

      test(`is accepted (seed ${seed})`, () => {
        const unanswered = history.filter(({ returnedAt }) => returnedAt === undefined);
        assert.ok(unanswered.length > 40);
        assert.equal(search(history, kind.model, configurationsMax).type, "found");
      });

      test(`is refused with a wrong answer towards its end (seed ${seed})`, () => {
        assert.equal(search(spoilt(kind, history), kind.model, configurationsMax).type, "none");
      });
    }
  });
}
