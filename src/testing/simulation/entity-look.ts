/** Looks at one entity as users do: by a query, at its primary. */
import type { Look } from "./simulated-functions.ts";
import type { EntityId } from "./workload.ts";

interface LookHandle {
  with(options: object): {
    look(): Promise<{ readonly value: Look; readonly hops: number }>;
  };
}

export function lookAt(client: unknown, [functionName, key]: EntityId, timeoutMs: number) {
  const handle = (client as { get(f: string, k: string): LookHandle }).get(functionName, key);
  return handle.with({ reply: "full", timeoutMs }).look();
}
