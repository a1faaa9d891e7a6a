/**
 * A client whose time moves by itself: while a test awaits a call, or the next state of a watch, the
 * cluster runs in virtual time until it is there. Between two awaits everything stands still.
 */
import type { Client } from "../client/client.ts";
import { createHandle, stageOf, type HandleOf } from "../definition/handle.ts";
import type { CallOptions } from "../definition/call-options.ts";
import { checkKey } from "../model/names.ts";
import type { VirtualTime } from "../platform/virtual/virtual-time.ts";

/** A handle as this file uses it: by names that are only known when it is called. */
interface AnyHandle {
  with(options: CallOptions): AnyHandle;
  watch(): AsyncIterable<unknown>;
  readonly [operation: string]: unknown;
}

/** Whoever has handles: a client, or a node. */
export interface HandleMaker {
  get(functionName: string, key: string): unknown;
}

/** `handles.get`, but its calls and watches let virtual time pass while they are awaited. */
export function drivenHandle(
  time: VirtualTime,
  handles: HandleMaker,
  functionName: string,
  key: string,
): unknown {
  checkKey(key);
  const inner = handles.get(functionName, key) as AnyHandle;
  return createHandle({
    functionName,
    key,
    call: (call) => {
      const run = inner.with(call.options)[call.operation] as (input: unknown) => Promise<unknown>;
      const stage = call.isPiped === true ? stageOf(run) : undefined;
      return time.settled(stage === undefined ? run(call.input) : stage.source.call(call));
    },
    watch: () => drivenIterable(time, inner.watch()),
  });
}

/** The same client, driven. */
export function drivenClient<F>(time: VirtualTime, client: Client<F>): Client<F> {
  const handles = client as unknown as HandleMaker;
  const close = (): Promise<void> => time.settled(client.close());
  return {
    get: <N extends keyof F & string>(name: N, key: string) =>
      drivenHandle(time, handles, name, key) as HandleOf<F, N>,
    token: () => client.token(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function drivenIterable<T>(time: VirtualTime, inner: AsyncIterable<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => drivenIterator(time, inner[Symbol.asyncIterator]()) };
}

/** The same iterator, but virtual time passes while its next value is awaited. */
export function drivenIterator<T>(
  time: VirtualTime,
  inner: AsyncIterator<T>,
): AsyncIterableIterator<T> {
  return {
    next: () => time.settled(inner.next()),
    return: () =>
      inner.return === undefined
        ? Promise.resolve({ done: true as const, value: undefined })
        : time.settled(inner.return()),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
