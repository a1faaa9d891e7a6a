/**
 * What a checker of linearizability is given: the operations of clients on single values, each with
 * when its caller sent it and when the caller had its answer.
 */

/** What a register holds; a counter holds a number. */
export type State = string | number | null;

export type Input =
  | { readonly type: "read" }
  /** Of a register. */
  | { readonly type: "write"; readonly value: State }
  /** To a counter: whole numbers. */
  | { readonly type: "add"; readonly by: number };

/** One that is known not to have run is left out of a history. */
export interface Operation {
  readonly id: string;
  /** Who called, for explanations: nothing follows from it. */
  readonly process: string;
  readonly key: string;
  /** By one clock for the whole history, like `returnedAt`. */
  readonly invokedAt: number;
  /** `undefined`: its outcome is unknown; it took effect at any time since, or will, or never. */
  readonly returnedAt: number | undefined;
  readonly input: Input;
  /** What its caller was told; `undefined`: nothing. */
  readonly output: State | undefined;
}

/** `p3 write "a" (c17, 1203.2 … 1204.1)`. */
export function describe({ id, process, invokedAt, returnedAt, input, output }: Operation): string {
  const told = output === undefined ? "" : ` → ${JSON.stringify(output)}`;
  const end = returnedAt === undefined ? "no answer" : returnedAt.toFixed(1);
  return `${process} ${describeInput(input)}${told} (${id}, ${invokedAt.toFixed(1)} … ${end})`;
}

function describeInput(input: Input): string {
  switch (input.type) {
    case "read":
      return "read";
    case "write":
      return `write ${JSON.stringify(input.value)}`;
    case "add":
      return `add ${input.by}`;
  }
}
