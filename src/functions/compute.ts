/** `ctx.compute`: a function of a module, run beside the event loop; it ends with the turn. */
import type { ComputeOptions } from "../definition/compute-options.ts";
import { checkComputeOptions } from "../definition/compute-options.ts";
import { quote } from "../definition/known-names.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { checkOptionalValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";
import type { Turn } from "./turn.ts";
import type { TurnServices } from "./turn-services.ts";

export interface TurnComputation {
  /** Unchecked, like the others. */
  readonly module: unknown;
  readonly input: unknown;
  readonly options: ComputeOptions;
}

/** Rejects with what the function threw, why it cannot be run, or what cut the turn off. */
export function compute(
  turn: Turn,
  services: TurnServices,
  computation: TurnComputation,
): Promise<Value | undefined> {
  const computed = perform(turn, services, computation);
  // See `sleep`: a handler may have ended, or may never await.
  computed.catch(ignore);
  return computed;
}

async function perform(
  turn: Turn,
  services: TurnServices,
  { module, input, options }: TurnComputation,
): Promise<Value | undefined> {
  turn.checkActive();
  const abort = new AbortController();
  const forget = turn.onRevoke((reason) => {
    abort.abort(reason);
  });
  let timer: { cancel(): void } | undefined;
  try {
    const { timeoutMs } = checkComputeOptions(options);
    const url = urlOf(module);
    const bytes = encoded(services, input);
    if (timeoutMs !== undefined) {
      timer = services.platform.timers.after(timeoutMs, () => {
        abort.abort(tooLate(url, timeoutMs));
      });
    }
    const result = await services.compute.run({ module: url, input: bytes, signal: abort.signal });
    turn.checkActive();
    return result.length === 0 ? undefined : services.values.decode(result);
  } catch (error) {
    throw turn.letPass(error);
  } finally {
    forget();
    timer?.cancel();
  }
}

function urlOf(module: unknown): string {
  const url = module instanceof URL ? module.href : module;
  if (typeof url === "string" && url.startsWith("file:") && URL.canParse(url)) return url;
  throw new LatticeError(
    "invalid_argument",
    'ctx.compute takes the file: URL of a module, as in new URL("./price.js", import.meta.url); ' +
      `got ${quote(String(url))}`,
  );
}

function encoded({ values }: TurnServices, input: unknown): Uint8Array {
  const value = checkOptionalValue(input, "input");
  if (value === undefined) return noBytes;
  const bytes = values.encode(value);
  if (bytes.length <= limits.clientPayloadBytesMax) return bytes;
  const most = `${String(limits.clientPayloadBytesMax)} bytes`;
  throw new LatticeError("too_large", `ctx.compute: its input is above ${most}`);
}

function tooLate(url: string, timeoutMs: number): LatticeError {
  const what = `${url} did not end in ${String(timeoutMs)} ms and was terminated`;
  return new LatticeError("deadline_exceeded", `ctx.compute: ${what}`);
}

const noBytes = new Uint8Array(0);

function ignore(): void {
  return;
}
