/**
 * The checker against histories made by chance: those of real atomic objects, which are linearizable
 * by their making, and tiny ones of any kind, which can be tried out.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { randomBelow, type Random } from "../../../src/model/random.ts";
import { seededRandom } from "../../../src/platform/seeded-random.ts";
import { atomicHistory } from "./atomic-history.ts";
import { isLinearizableByForce } from "./brute-force.ts";
import { checkHistory } from "./check.ts";
import { counter, register, type Model } from "./model.ts";
import type { Input, Operation, State } from "./operation.ts";
import {
  sequentialCounter,
  sequentialRegister,
  type SequentialObject,
} from "./sequential-object.ts";

interface Kind {
  readonly model: Model;
  readonly newObject: () => SequentialObject;
  /** Of changes whose callers are told what came of them. */
  readonly toldShare: number;
  readonly inputOf: (random: Random, n: number) => Input;
  /** Something that an operation may have answered, rightly or wrongly. */
  readonly answer: (random: Random) => State;
}

function kindOfRegister(values: number): Kind {
  return {
    model: register(0),
    newObject: () => sequentialRegister(0),
    toldShare: 0,
    inputOf: (random) =>
      random() < 0.5 ? { type: "read" } : { type: "write", value: randomBelow(random, values) },
    answer: (random) => randomBelow(random, values),
  };
}

function kindOfCounter(toldShare: number, least: number, most: number): Kind {
  const between = (random: Random): number => least + randomBelow(random, most - least + 1);
  return {
    model: counter(),
    newObject: sequentialCounter,
    toldShare,
    inputOf: (random) => (random() < 0.4 ? { type: "read" } : { type: "add", by: between(random) }),
    answer: (random) => randomBelow(random, 5) + 2 * Math.min(0, least),
  };
}

const kinds: Readonly<Record<string, Kind>> = {
  "a register of few values": kindOfRegister(3),
  "a register of many values": {
    ...kindOfRegister(7),
    inputOf: (random, n) => (random() < 0.5 ? { type: "read" } : { type: "write", value: n + 1 }),
  },
  "a counter that tells its sums": kindOfCounter(1, 1, 1),
  "a counter that tells some of its sums": kindOfCounter(0.5, 1, 1),
  "a counter that tells nothing": kindOfCounter(0, 1, 2),
  "a counter that falls and rises": kindOfCounter(0, -1, 1),
  "a counter that falls and rises and tells its sums": kindOfCounter(1, -2, 2),
};

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function seen(kind: Kind, random: Random, operations: number): Operation[] {
  const history = atomicHistory({
    ...{ random, object: kind.newObject(), operations, unknownShare: 0.15 },
    processes: 1 + randomBelow(random, 6),
    inputOf: (n) => kind.inputOf(random, n),
  });
  return history.map((operation) =>
    isTold(kind, random, operation.input) ? operation : { ...operation, output: undefined },
  );
}

function isTold({ toldShare }: Kind, random: Random, { type }: Input): boolean {
  return type === "read" || random() < toldShare;
}

/** One operation got another answer. */
function altered({ answer }: Kind, random: Random, history: readonly Operation[]): Operation[] {
  const victim = history[randomBelow(random, history.length)];
  return history.map((operation) =>
    operation === victim && operation.output !== undefined
      ? { ...operation, output: answer(random) }
      : operation,
  );
}

/** Nothing about it is likely to be right. */
function anyHistory(kind: Kind, random: Random): Operation[] {
  return Array.from({ length: 2 + randomBelow(random, 4) }, (_, n) => {
    const invokedAt = randomBelow(random, 8);
    const isUnknown = random() < 0.2;
    const input = kind.inputOf(random, n);
    const output = isTold(kind, random, input) ? kind.answer(random) : undefined;
    return {
      ...{ id: `c${n}`, process: `p${n}`, key: "key", invokedAt, input },
      returnedAt: isUnknown ? undefined : invokedAt + randomBelow(random, 6),
      output: isUnknown ? undefined : output,
    };
  });
}

function assertAsByForce({ model, newObject }: Kind, history: readonly Operation[]): boolean {
  const verdict = checkHistory(history, model);
  const expected = isLinearizableByForce(history, newObject) ? "linearizable" : "violation";
  assert.equal(verdict.type, expected, JSON.stringify(history, undefined, 1));
  if (verdict.type !== "violation") return true;
  assertIsFirst(verdict.misfit, history, newObject);
  return false;
}

/** Up to its return the history is not linearizable, and up to the return before that it is. */
function assertIsFirst(
  misfit: Operation,
  history: readonly Operation[],
  newObject: () => SequentialObject,
): void {
  const upTo = (isIn: (returnedAt: number) => boolean): Operation[] => {
    const ended = history.filter(({ returnedAt }) => returnedAt !== undefined && isIn(returnedAt));
    const lastAt = Math.max(...ended.map(({ returnedAt = 0 }) => returnedAt));
    const begun = history.filter(({ invokedAt }) => invokedAt <= lastAt);
    const unanswered = { returnedAt: undefined, output: undefined };
    return begun.map((one) => (ended.includes(one) ? one : { ...one, ...unanswered }));
  };
  const at = misfit.returnedAt!;
  const problem = `${misfit.id} is not the first that fits nowhere: ${JSON.stringify(history)}`;
  assert.ok(
    !isLinearizableByForce(
      upTo((returnedAt) => returnedAt <= at),
      newObject,
    ),
    problem,
  );
  assert.ok(
    isLinearizableByForce(
      upTo((returnedAt) => returnedAt < at),
      newObject,
    ),
    problem,
  );
}

for (const [name, kind] of Object.entries(kinds)) {
  describe(name, () => {
    test("is accepted with whatever concurrent callers saw of it", () => {
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = seededRandom(seed);
          const verdict = checkHistory(seen(kind, random, 60), kind.model);
          assert.equal(verdict.type, "linearizable", JSON.stringify(verdict));
        }),
        { numRuns: 150 },
      );
    });

    test("is judged as by trying everything when one answer is altered", () => {
      let refused = 0;
      fc.assert(
        fc.property(seeds, (seed) => {
          const random = seededRandom(seed);
          const history = altered(kind, random, seen(kind, random, 5));
          if (!assertAsByForce(kind, history)) refused += 1;
        }),
        { numRuns: 1_000 },
      );
      assert.ok(refused > 100, `only ${refused} of 1,000 altered histories were wrong`);
    });

    test("is judged as by trying everything when everything is left to chance", () => {
      let accepted = 0;
      fc.assert(
        fc.property(seeds, (seed) => {
          if (assertAsByForce(kind, anyHistory(kind, seededRandom(seed)))) accepted += 1;
        }),
        { numRuns: 1_000 },
      );
      assert.ok(accepted > 50 && accepted < 950, `${accepted} of 1,000 histories were accepted`);
    });
  });
}
