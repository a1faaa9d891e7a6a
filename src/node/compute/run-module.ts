/**
 * Runs the function that a module exports by default. Threads of the pool load this file, and simulated
 * nodes call it; so it says how a run ended as data, which crosses a thread's border as it is.
 */
import { decodeValue, encodeValue } from "../../codec/value-bytes.ts";
import { LatticeError } from "../../model/error.ts";
import type { ErrorCode } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { checkOptionalValue } from "../../model/value-check.ts";

export interface ModuleRun {
  /** A `file:` URL. */
  readonly module: string;
  /** Encoded; empty for none. */
  readonly input: Uint8Array;
}

export type ModuleEnd =
  /** Encoded; empty for `undefined`. */
  | { readonly type: "ok"; readonly value: Uint8Array }
  /** There is no such function, or what it returned cannot be a result. */
  | { readonly type: "refused"; readonly code: ErrorCode; readonly message: string }
  /** The function threw. */
  | {
      readonly type: "threw";
      readonly name: string;
      readonly message: string;
      readonly stack: string;
    };

/** Never rejects. */
export async function runModule({ module, input }: ModuleRun): Promise<ModuleEnd> {
  const run = await load(module);
  if (typeof run !== "function") return run;
  let result: unknown;
  try {
    result = await run(input.length === 0 ? undefined : decodeValue(input));
  } catch (error) {
    return threw(error);
  }
  return encoded(result);
}

type Default = (input: unknown) => unknown;

async function load(module: string): Promise<Default | ModuleEnd> {
  try {
    const { default: run } = (await import(module)) as { readonly default?: unknown };
    if (typeof run === "function") return run as Default;
  } catch (error) {
    return refused("invalid_argument", `${module} cannot be loaded: ${messageOf(error)}`);
  }
  return refused("invalid_argument", `${module} has no function as its default export`);
}

function encoded(result: unknown): ModuleEnd {
  try {
    const value = checkOptionalValue(result, "result");
    if (value === undefined) return { type: "ok", value: new Uint8Array(0) };
    const bytes = encodeValue(value);
    // A copy: to post a view would be to post the whole chunk that it is of.
    if (bytes.length <= limits.clientPayloadBytesMax) return { type: "ok", value: bytes.slice() };
  } catch (error) {
    if (!(error instanceof LatticeError)) return threw(error);
    return refused(error.code, error.message);
  }
  const most = `${String(limits.clientPayloadBytesMax)} bytes`;
  return refused("too_large", `its result is above ${most}`);
}

function refused(code: ErrorCode, message: string): ModuleEnd {
  return { type: "refused", code, message };
}

function threw(error: unknown): ModuleEnd {
  const message = messageOf(error);
  if (!(error instanceof Error)) return { type: "threw", name: "Error", message, stack: message };
  return { type: "threw", name: error.name, message, stack: error.stack ?? message };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * The encoded result of a run.
 * @throws LatticeError for one that was refused; an `Error` like that which the function threw
 */
export function resultOf(end: ModuleEnd): Uint8Array {
  switch (end.type) {
    case "ok":
      return end.value;
    case "refused":
      throw new LatticeError(end.code, `ctx.compute: ${end.message}`);
    case "threw": {
      const { name, message, stack } = end;
      throw Object.assign(new Error(message), { name, stack });
    }
  }
}
