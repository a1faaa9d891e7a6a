/** Objects without concurrency, written without regard to how the checker sees them: what it is tested by. */
import type { Input, State } from "./operation.ts";

export interface SequentialObject {
  /** Runs the operation and answers it; `undefined`: with nothing. */
  run(input: Input): State | undefined;
}

export function sequentialRegister(initial: State): SequentialObject {
  let held = initial;
  return {
    run: (input) => {
      if (input.type === "read") return held;
      if (input.type === "write") held = input.value;
      return undefined;
    },
  };
}

/** It answers additions with the new value. */
export function sequentialCounter(): SequentialObject {
  let count = 0;
  return {
    run: (input) => {
      if (input.type === "add") count += input.by;
      return count;
    },
  };
}
