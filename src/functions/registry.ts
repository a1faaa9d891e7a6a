/**
 * The functions of this node, by name, and their operations, prepared once so that a call costs two
 * map lookups. Definitions do not know their names; the registry does, which is how `ctx.get(shop)`
 * finds out that it means "shop".
 */
import type { Acks, WhenSplit } from "../model/acks.ts";
import { LatticeError } from "../model/error.ts";
import { checkFunctionName } from "../model/names.ts";
import type { AnyFunction, Functions } from "../definition/function-definition.ts";
import { isFunctionDefinition } from "../definition/function-definition.ts";
import type { FunctionSettings } from "../definition/function-options.ts";
import { operationNotFound } from "../definition/handle.ts";
import { schemaOf } from "../definition/handler.ts";
import type { Shape } from "../definition/kinds.ts";
import { didYouMean, quote } from "../definition/known-names.ts";
import type { StandardSchema } from "../definition/standard-schema.ts";
import { isInternalName } from "./internal-name.ts";

export const functionsMax = 1_024;
/** How the wire writes "every owner". */
const allOwners = 255;

export class Registry {
  readonly #functions = new Map<string, RegisteredFunction>();
  readonly #names = new Map<AnyFunction, string>();

  /**
   * @throws LatticeError `invalid_argument` for a name that cannot be used, a value that did not
   * come from `defineFunction`, or one definition under two names.
   */
  constructor(functions: Functions) {
    const entries = Object.entries(functions);
    if (entries.length > functionsMax) {
      throw new LatticeError(
        "invalid_argument",
        `a node has at most ${String(functionsMax)} functions, got ${String(entries.length)}`,
      );
    }
    for (const [name, definition] of entries) this.#add(name, definition);
  }

  get size(): number {
    return this.#functions.size;
  }

  /** In the order in which they were given. */
  get names(): readonly string[] {
    return [...this.#functions.keys()];
  }

  /** Whether calls of this function can run here. */
  has(functionName: string): boolean {
    return this.#functions.has(functionName);
  }

  /** @throws LatticeError `not_found`, with the names that exist. */
  find(functionName: string): RegisteredFunction {
    const found = this.#functions.get(functionName);
    if (found !== undefined) return found;
    const names = [...this.#functions.keys()];
    const exist = names.length === 0 ? "it has none" : `it has ${names.join(", ")}`;
    throw new LatticeError(
      "not_found",
      `no function ${quote(functionName)} on this node${didYouMean(functionName, names)}; ${exist}`,
      { function: functionName.slice(0, 128) },
    );
  }

  /** @throws LatticeError `not_found`, with the handlers and queries that exist. */
  operation(functionName: string, operation: string): RegisteredOperation {
    const registered = this.find(functionName);
    const found = registered.operations.get(operation);
    if (found !== undefined) return found;
    throw operationNotFound(functionName, operation, registered);
  }

  /** Whether a call runs wherever it arrives: its function keeps no state. */
  runsAnywhere(functionName: string, operation: string): boolean {
    const isStateless = this.#functions.get(functionName)?.isStateless === true;
    return isStateless && !isInternalName(operation);
  }

  /**
   * The name of a definition, for `ctx.get` and `ctx.send`.
   * @throws LatticeError `invalid_argument` for a definition that this node does not have.
   */
  nameOf(definition: AnyFunction): string {
    const name = this.#names.get(definition);
    if (name !== undefined) return name;
    throw new LatticeError(
      "invalid_argument",
      isFunctionDefinition(definition)
        ? "this function is not among those the node was started with: add it to `functions`"
        : "ctx.get and ctx.send take a function's definition, not its name",
    );
  }

  /** What callers need to know that only have names; `acksDefault` fills in where none is given. */
  catalogue(acksDefault: Acks): readonly FunctionListing[] {
    return [...this.#functions.values()].map((registered) => ({
      name: registered.name,
      handlers: registered.handlers,
      queries: registered.queries,
      whenSplit: registered.settings.whenSplit,
      acks: acksNumber(registered.settings.acks ?? acksDefault),
      deadlineMs: registered.settings.deadlineMs,
      stateless: registered.isStateless,
    }));
  }

  #add(name: string, definition: unknown): void {
    checkFunctionName(name);
    if (!isFunctionDefinition(definition)) {
      throw new LatticeError(
        "invalid_argument",
        `functions.${name} is no function definition: give it the result of defineFunction({ … })`,
      );
    }
    const other = this.#names.get(definition);
    if (other !== undefined) {
      throw new LatticeError(
        "invalid_argument",
        `'${other}' and '${name}' are the same definition: call defineFunction once for each`,
      );
    }
    this.#names.set(definition, name);
    this.#functions.set(name, register(name, definition));
  }
}

/** One function, prepared for calls. */
export interface RegisteredFunction {
  readonly name: string;
  readonly shape: Shape;
  readonly isStateless: boolean;
  readonly settings: FunctionSettings;
  readonly handlers: readonly string[];
  readonly queries: readonly string[];
  readonly operations: ReadonlyMap<string, RegisteredOperation>;
}

export interface RegisteredOperation {
  readonly function: RegisteredFunction;
  readonly name: string;
  readonly isQuery: boolean;
  /** Not of the user: `run` gets the draft and the turn. */
  readonly isInternal: boolean;
  readonly run: (ctx: unknown, input: unknown) => unknown;
  readonly schema: StandardSchema | undefined;
  /** Its last runs were so quick that they may be timed together (`TurnMeter`). */
  quickRuns: number;
}

/** A function in the routing table that nodes send to clients; see `CatalogueEntry` of the wire. */
export interface FunctionListing {
  readonly name: string;
  readonly handlers: readonly string[];
  readonly queries: readonly string[];
  readonly whenSplit: WhenSplit;
  /** 0 where calls are answered before replication, 255 for all owners. */
  readonly acks: number;
  readonly deadlineMs: number;
  readonly stateless: boolean;
}

function register(name: string, definition: AnyFunction): RegisteredFunction {
  const operations = new Map<string, RegisteredOperation>();
  const registered: RegisteredFunction = {
    name,
    shape: definition.state,
    isStateless: definition.isStateless,
    settings: definition.settings,
    handlers: Object.keys(definition.handlers),
    queries: Object.keys(definition.queries),
    operations,
  };
  for (const isQuery of [false, true]) {
    for (const [operation, run] of Object.entries(
      isQuery ? definition.queries : definition.handlers,
    )) {
      operations.set(operation, {
        function: registered,
        name: operation,
        isQuery,
        isInternal: false,
        run: run as RegisteredOperation["run"],
        schema: schemaOf(run),
        quickRuns: 0,
      });
    }
  }
  return registered;
}

function acksNumber(acks: Acks): number {
  if (acks === "all") return allOwners;
  return acks === 1 ? 0 : acks;
}
