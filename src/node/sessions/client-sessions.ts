/**
 * The clients of this node: each has one connection, gets the table and its changes, and may call
 * and watch. A client that reads too slowly loses its backlog first and its connection then.
 */
import { belowAny } from "../../functions/caller-operation.ts";
import { LatticeError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { NodeId } from "../../model/ids.ts";
import type { LinkId } from "../../live/watcher.ts";
import type { Platform, Timer } from "../../platform/platform.ts";
import type { MessageChannel, MessageHandlers } from "../../transport/message-channel.ts";
import { closeCodes } from "../../wire/close-codes.ts";
import { encodeTable, type EncodedTable } from "../../wire/encoded-table.ts";
import type {
  ChangeMessage,
  FailureMessage,
  HelloMessage,
  Message,
  ReplyMessage,
  SnapshotMessage,
  TableMessage,
  WatchEndMessage,
  WelcomeMessage,
} from "../../wire/messages.ts";
import type { CallServer } from "../calls/call-server.ts";
import type { Farewells } from "../calls/farewells.ts";
import type { Routes } from "../cluster/routes.ts";
import { CallDoor } from "./call-door.ts";
import type { CallerTrail } from "./caller-trail.ts";
import type { WatchServer } from "./watch-server.ts";

/** Changes of the table within this time make one message to each client. */
const tableDebounceMs = 20;

export interface ClientSessionsOptions {
  readonly self: NodeId;
  readonly platform: Platform;
  readonly routes: Routes;
  readonly calls: CallServer;
  readonly farewells: Farewells;
  watches(): WatchServer;
  welcome(hello: HelloMessage): WelcomeMessage;
}

interface Session {
  readonly link: LinkId;
  readonly channel: MessageChannel;
  readonly door: CallDoor;
  /** Since when it takes nothing; Infinity while it reads. */
  stuckAt: number;
  /** Bytes of answers since its buffers were looked at last. */
  uncheckedBytes: number;
}

/** Between two looks at the buffers of a connection; an answer counts with what its frame adds. */
const bytesBetweenChecks = 16 * 1024;
const answerBytes = 32;

export class ClientSessions {
  readonly #options: ClientSessionsOptions;
  readonly #sessions = new Map<LinkId, Session>();
  /** The whole table as it was sent last. */
  #whole: { readonly table: TableMessage; readonly encoded: EncodedTable } | undefined;
  #lastLink = 0;
  #tableTimer: Timer | undefined;
  #isLeaving = false;
  #isClosed = false;

  constructor(options: ClientSessionsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  get callsInFlight(): number {
    let count = 0;
    for (const { door } of this.#sessions.values()) count += door.count;
    return count;
  }

  /** Welcomes a client, or refuses it when there are too many. */
  accept(channel: MessageChannel, hello: HelloMessage): MessageHandlers | undefined {
    const { self, calls, platform } = this.#options;
    if (this.#sessions.size >= limits.connectionsMax) {
      const message = `${self} has ${String(limits.connectionsMax)} connections: try another node`;
      channel.send({ type: "refused", code: "overloaded", message });
      channel.close(closeCodes.refused, "overloaded");
      return undefined;
    }
    if (this.#isLeaving) {
      channel.send({ type: "refused", code: "leaving", message: `${self} is leaving` });
      channel.close(closeCodes.refused, "leaving");
      return undefined;
    }
    const link = ++this.#lastLink;
    const session: Session = {
      link,
      channel,
      stuckAt: Infinity,
      uncheckedBytes: 0,
      door: new CallDoor({
        node: "",
        self,
        server: calls,
        send: (message) => this.#answer(session, message),
      }),
    };
    this.#sessions.set(link, session);
    channel.send(this.#options.welcome(hello));
    channel.become({ incoming: "from-client", outgoing: "to-client" });
    channel.sendTable(this.#wholeTable());
    const defect = (type: Message["type"], error: unknown): void => {
      // Of ours: a client must not be able to stop a node with it.
      const client = channel.remoteAddress;
      platform.logger.error("a client's message could not be handled", { client, type, error });
      channel.close(closeCodes.malformed, `this ${type} could not be handled`);
    };
    return {
      calls: (messages) => {
        try {
          session.door.serveAll(messages);
        } catch (error) {
          defect("call", error);
        }
      },
      message: (message) => {
        try {
          this.#received(session, message);
        } catch (error) {
          defect(message.type, error);
        }
      },
      closed: () => {
        this.#end(session);
      },
      drain: () => {
        session.stuckAt = Infinity;
        this.#options.watches().drained(link);
      },
    };
  }

  /**
   * Sends what a watch has to tell. False when the connection takes no more for now, or is gone. A
   * value that does not fit ends its watch.
   */
  send(link: LinkId, message: SnapshotMessage | ChangeMessage | WatchEndMessage): boolean {
    const session = this.#sessions.get(link);
    if (session === undefined) return false;
    const error = write(session.channel, message);
    if (error !== undefined) {
      this.#options.watches().unwatch(link, message.id);
      const { id } = message;
      const end = { id, code: error.code, message: error.message, primary: "" };
      session.channel.send({ type: "watch-end", ...end });
    }
    return this.#takesMore(session);
  }

  /** Why the answer cannot be sent, if so. */
  #answer(session: Session, message: ReplyMessage | FailureMessage): LatticeError | undefined {
    const error = write(session.channel, message);
    const payload = message.type === "reply" ? message.value : message.data;
    session.uncheckedBytes += payload.length + answerBytes;
    if (session.uncheckedBytes >= bytesBetweenChecks) {
      session.uncheckedBytes = 0;
      this.#takesMore(session);
    }
    return error;
  }

  /** This node goes soon: clients make their next calls elsewhere, and new ones are turned away. */
  announceLeaving(): void {
    this.#isLeaving = true;
    for (const { channel } of this.#sessions.values()) {
      channel.send({ type: "goodbye", reason: "leaving" });
    }
  }

  /** Owners or primaries changed: clients are told soon. */
  tableChanged(): void {
    if (this.#tableTimer !== undefined || this.#isClosed) return;
    this.#tableTimer = this.#options.platform.timers.after(tableDebounceMs, () => {
      this.#tableTimer = undefined;
      // Whoever comes gets the whole table.
      if (this.#sessions.size === 0) return;
      const delta = this.#options.routes.takeDelta();
      if (delta === undefined) return;
      const encoded = encodeTable(delta);
      for (const { channel } of this.#sessions.values()) channel.sendTable(encoded);
    });
  }

  /** Clients come in crowds, when the connections of many broke at once. */
  #wholeTable(): EncodedTable {
    const table = this.#options.routes.full();
    if (this.#whole?.table !== table) this.#whole = { table, encoded: encodeTable(table) };
    return this.#whole.encoded;
  }

  close(): void {
    this.#isClosed = true;
    this.#tableTimer?.cancel();
    for (const session of [...this.#sessions.values()]) {
      if (!this.#isLeaving) session.channel.send({ type: "goodbye", reason: "leaving" });
      session.channel.close(closeCodes.goingAway, "leaving");
    }
  }

  #received(session: Session, message: Message): void {
    switch (message.type) {
      case "call":
        session.door.serve(message);
        return;
      case "cancel":
        session.door.cancel(message.id);
        return;
      case "watch":
        this.#options.watches().watch(session.link, message);
        return;
      case "unwatch":
        this.#options.watches().unwatch(session.link, message.id);
        return;
      case "goodbye":
        if (message.reason === "done") this.#forget(session.door.trail);
        return;
      default:
        session.channel.close(closeCodes.malformed, `clients do not send ${message.type}`);
    }
  }

  /** A client is done: the entities that it called may drop what they keep of it. */
  #forget({ caller, entities }: CallerTrail): void {
    if (caller === "") return;
    for (const entity of entities) {
      this.#options.farewells.say(entity, [{ caller, below: belowAny }]);
    }
  }

  #takesMore(session: Session): boolean {
    const { bufferedBytes } = session.channel;
    if (bufferedBytes < limits.slowClientResyncBytes) return true;
    const now = this.#options.platform.clock.now();
    session.stuckAt = Math.min(session.stuckAt, now);
    const tooLong = now - session.stuckAt > limits.slowClientCloseMs;
    if (tooLong || bufferedBytes > limits.slowClientCloseBytes) {
      session.channel.close(closeCodes.tryLater, "reads too slowly");
      session.channel.terminate();
    }
    return false;
  }

  #end(session: Session): void {
    this.#sessions.delete(session.link);
    session.door.close();
    this.#options.watches().linkClosed(session.link);
  }
}

/** Why the message cannot be sent, if so. */
function write(channel: MessageChannel, message: Message): LatticeError | undefined {
  try {
    channel.send(message);
    return undefined;
  } catch (error) {
    if (error instanceof LatticeError) return error;
    throw error;
  }
}
