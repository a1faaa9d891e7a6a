/** One call as it reaches the functions of this node, and the hold on it that its sender keeps. */
import type { Acks, OwnReadFrom, WhenSplit } from "../model/acks.ts";
import type { EntityName } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import type { EntityTimer } from "../state/timers.ts";
import type { Age } from "./age.ts";
import type { EntityAddress } from "./entity-address.ts";
import type { TurnOutcome } from "./ports.ts";

/** Build all of them with the same properties in the same order: they are on the hot path. */
export interface TurnRequest extends Age {
  readonly address: EntityAddress;
  readonly operation: string;
  /** Encoded; empty for none. Decoded only when the turn starts. */
  readonly input: Uint8Array;
  /**
   * With `number`, who is protected against running twice; "" for nobody. With the number 0 it is an
   * idempotency key: one call, whoever makes it.
   */
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below this number. */
  readonly received: number;
  /** Sent before: its first attempt may have run, or may still arrive. */
  readonly retry: boolean;
  /** Sent by the outbox of another entity; `caller` names that entity and its writer. */
  readonly outbox: boolean;
  /** The timer of this entity that is due; the turn takes it out. */
  readonly timer: EntityTimer | undefined;
  /** The caller agreed to degraded service. */
  readonly degradedAllowed: boolean;
  /** `undefined`: as the function says. */
  readonly whenSplit: WhenSplit | undefined;
  /** Where it may run, if it is a query. */
  readonly readFrom: OwnReadFrom;
  /**
   * Made in a session: it is never served degraded, never on a state older than `seen`, and what it
   * asks for is confirmed by a majority; its end tells what was seen.
   */
  readonly inSession: boolean;
  /** The newest that its session has seen of the partition, if it knows of any. */
  readonly seen: Mark | undefined;
  /** Refuse where fewer copies can be made; the function may ask for it as well. */
  readonly strictAcks: boolean;
  /** `undefined`: as the function says. */
  readonly acks: Acks | undefined;
  /** When it came here, in milliseconds of the monotonic clock. */
  readonly arrivedAt: number;
  /** The same clock. The function's own deadline may come first. */
  readonly deadlineAt: number;
  /** Entities of the calls around this one, outermost first; empty for a root call. */
  readonly chain: readonly EntityName[];
  /** The caller's span as a W3C traceparent; "" for a call without a trace. */
  readonly trace: string;
  /** Called exactly once, possibly before `submit` returns. */
  settle(outcome: TurnOutcome): void;
}

/** What `submit` returns. */
export interface SubmittedTurn {
  /** Ends the call with `cancelled`: dropped if it waits, cut off if it runs. No effect later on. */
  cancel(): void;
}

/** What a root turn of the node itself differs in from others. */
export interface OwnTurn extends Pick<
  TurnRequest,
  "address" | "operation" | "input" | "arrivedAt" | "deadlineAt" | "settle"
> {
  readonly timer?: TurnRequest["timer"];
  /** @default false */
  readonly degradedAllowed?: boolean;
}

/** A turn that nobody calls for: without protection, age, chain and trace, under the function's terms. */
export function ownTurn({
  address,
  operation,
  input,
  timer,
  degradedAllowed = false,
  arrivedAt,
  deadlineAt,
  settle,
}: OwnTurn): TurnRequest {
  return {
    address,
    operation,
    input,
    caller: "",
    number: 0,
    received: 0,
    retry: false,
    outbox: false,
    timer,
    degradedAllowed,
    whenSplit: undefined,
    readFrom: "primary",
    inSession: false,
    seen: undefined,
    strictAcks: false,
    acks: undefined,
    arrivedAt,
    deadlineAt,
    chain: noChain,
    trace: "",
    ageTime: 0,
    ageId: "",
    settle,
  };
}

const noChain: readonly EntityName[] = Object.freeze([]);
