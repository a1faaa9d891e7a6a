/** `latticework/client` in browsers: the same client over the global WebSocket. */
import { connectWith, type Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect-options.ts";
import { browserPlatform } from "../platform/browser/browser-platform.ts";
import { BrowserWebSocketTransport } from "../transport/browser/websocket-transport.ts";

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
export function connect<F>(options: ConnectOptions): Promise<Client<F>> {
  const platform = browserPlatform();
  const transport = new BrowserWebSocketTransport(platform.timers);
  return connectWith<F>(options, { platform, transport });
}
