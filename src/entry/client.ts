/** `latticework/client` outside browsers: calls functions over WebSockets. */
import { connectWith, type Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect-options.ts";
import { nodePlatform } from "../platform/node/node-platform.ts";
import { WebSocketTransport } from "../transport/node/websocket-transport.ts";

export type { Client } from "../client/client.ts";
export type { ConnectOptions } from "../client/connect-options.ts";
export type { HandleOf } from "../definition/handle.ts";
export { LatticeError } from "../model/error.ts";

/**
 * Connects to a cluster. Resolves when one node has answered and told its table.
 *
 * @throws LatticeError `invalid_argument` for options that cannot work, `unavailable` when no join
 *   address answers in `timeoutMs`, `incompatible` when it is another cluster or version
 */
export async function connect<F>(options: ConnectOptions): Promise<Client<F>> {
  const platform = nodePlatform({ logLevel: "warn" });
  const transport = new WebSocketTransport(platform.timers);
  const client = await connectWith<F>(options, { platform, transport }).catch((error: unknown) => {
    platform.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await client.close();
    platform.close();
  };
  return {
    get: (name, key) => client.get(name, key),
    token: () => client.token(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
