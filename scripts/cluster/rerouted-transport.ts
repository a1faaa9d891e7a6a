/**
 * A transport that reaches some addresses by another way, as a host with its own name table would:
 * a proof puts a proxy between two nodes without either of them knowing. Nodes go on to tell each
 * other and clients their true addresses, so that every pair can have a proxy of its own and clients
 * none.
 */
import type {
  Accept,
  Connection,
  ConnectionHandlers,
  DialOptions,
  ListenOptions,
  Listener,
  Transport,
} from "../../src/transport/transport.ts";

export class ReroutedTransport implements Transport {
  readonly #transport: Transport;
  readonly #ways: ReadonlyMap<string, string>;

  /** @param ways from the address that is dialled to the one that is connected to */
  constructor(transport: Transport, ways: ReadonlyMap<string, string>) {
    this.#transport = transport;
    this.#ways = ways;
  }

  dial(address: string, handlers: ConnectionHandlers, options?: DialOptions): Connection {
    return this.#transport.dial(this.#ways.get(address) ?? address, handlers, options);
  }

  listen(options: ListenOptions, accept: Accept): Promise<Listener> {
    return this.#transport.listen(options, accept);
  }
}
