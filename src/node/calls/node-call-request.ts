/** What a call of this node itself is made of, and how it ends. */
import type { LatticeError } from "../../model/error.ts";
import type { Acks, ReadFrom, WhenSplit } from "../../model/acks.ts";
import type { EntityName, NodeId, PartitionId } from "../../model/ids.ts";
import type { Mark } from "../../model/mark.ts";
import type { HybridTime } from "../../model/time.ts";
import type { SeenPartition } from "../../wire/messages.ts";

/** What is called, and under which protection. */
export interface NodeCallRequest {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  readonly isQuery: boolean;
  /** The first of a chain: the stages to come are in its input. */
  readonly isPiped?: boolean | undefined;
  /** Encoded. */
  readonly input: Uint8Array;
  readonly timeoutMs: number;
  /** "" and 0 for a call without protection; an idempotency key has the number 0. */
  readonly caller: string;
  readonly number: number;
  received(): number;
  readonly outbox: boolean;
  /** An earlier call under the same protection may have run. */
  readonly isRetry: boolean;
  readonly whenSplit: WhenSplit;
  readonly readFrom: ReadFrom;
  /** The session that it is made in, if any: what it has seen, and is told what it is shown. */
  readonly session: CallSession | undefined;
  readonly acks: Acks | undefined;
  readonly strictAcks: boolean;
  readonly ageTime: HybridTime;
  readonly ageId: string;
  readonly chain: readonly EntityName[];
  /** The caller's span as a W3C traceparent; "" for none. */
  readonly trace: string;
}

/** A session as one of its calls needs it. */
export interface CallSession {
  seenOf(partition: PartitionId): Mark | undefined;
  readonly note: (seen: readonly SeenPartition[]) => void;
}

export type NodeCallEnd =
  | {
      readonly type: "ok";
      readonly value: Uint8Array;
      readonly degraded: boolean;
      readonly copies: number;
      readonly hops: number;
      readonly node: NodeId;
      /** Of a call in a session. */
      readonly seen: readonly SeenPartition[] | undefined;
      /** An earlier attempt of it may still arrive somewhere. */
      readonly hasStrays: boolean;
    }
  | { readonly type: "failed"; readonly error: LatticeError };
