/** A change that is the system's own, as an operation that turns can run. */
import type { Draft } from "../state/draft.ts";
import type { RegisteredFunction, RegisteredOperation, Registry } from "./registry.ts";
import type { Turn } from "./turn.ts";

/** Entities of functions that this node does not know are changed too. */
export function internalOperation(
  registry: Registry,
  functionName: string,
  change: (draft: Draft, turn: Turn) => void,
  name = "(internal)",
): RegisteredOperation {
  const isKnown = registry.has(functionName);
  return {
    function: isKnown ? registry.find(functionName) : { ...unknownFunction, name: functionName },
    name,
    isQuery: false,
    isInternal: true,
    run: (draft, turn) => {
      change(draft as Draft, turn as Turn);
    },
    schema: undefined,
    quickRuns: 0,
  };
}

const unknownFunction: RegisteredFunction = {
  name: "(unknown)",
  shape: {},
  isStateless: false,
  settings: {
    acks: undefined,
    strictAcks: false,
    whenSplit: "serve",
    deadlineMs: Infinity,
    version: 1,
    description: "",
  },
  handlers: [],
  queries: [],
  operations: new Map(),
};
