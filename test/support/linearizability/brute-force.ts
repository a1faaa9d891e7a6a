/** Tries everything: for histories of a handful of operations, to see whether the checker is right. */
import type { Operation } from "./operation.ts";
import type { SequentialObject } from "./sequential-object.ts";

/** Some permutation of what returned, and of some of what did not, respects time and runs alike. */
export function isLinearizableByForce(
  history: readonly Operation[],
  newObject: () => SequentialObject,
): boolean {
  const known = history.filter(({ returnedAt }) => returnedAt !== undefined);
  const unknown = history.filter(({ returnedAt }) => returnedAt === undefined);
  for (const some of subsetsOf(unknown)) {
    for (const order of permutationsOf([...known, ...some])) {
      if (respectsTime(order) && runsAlike(order, newObject())) return true;
    }
  }
  return false;
}

function* subsetsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let bits = 0; bits < 2 ** items.length; bits++) {
    yield items.filter((_, index) => (bits & (1 << index)) !== 0);
  }
}

function* permutationsOf<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries()) {
    for (const rest of permutationsOf(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}

function respectsTime(order: readonly Operation[]): boolean {
  return order.every(({ invokedAt }, index) =>
    order.slice(index + 1).every(({ returnedAt = Infinity }) => returnedAt >= invokedAt),
  );
}

function runsAlike(order: readonly Operation[], object: SequentialObject): boolean {
  return order.every(({ input, output }) => {
    const answer = object.run(input);
    return output === undefined || answer === output;
  });
}
