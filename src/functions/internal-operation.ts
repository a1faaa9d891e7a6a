/** A change that is the system's own, as an operation that turns can run. */
import type { Draft } from "../state/draft.ts";
import type { RegisteredFunction, RegisteredOperation, Registry } from "./registry.ts";

/** `change` gets the draft; entities of functions that this node does not know are changed too. */
export function internalOperation(
  registry: Registry,
  functionName: string,
  change: (draft: Draft) => void,
): RegisteredOperation {
  return {
    function: registry.has(functionName) ? registry.find(functionName) : unknownFunction,
    name: "(internal)",
    isQuery: false,
    isInternal: true,
    run: (draft) => {
      change(draft as Draft);
    },
    schema: undefined,
  };
}

const unknownFunction: RegisteredFunction = {
  name: "(unknown)",
  shape: {},
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
