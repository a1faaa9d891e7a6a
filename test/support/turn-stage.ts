/** Sets up turns over a `MemoryStore` on virtual time, with calls as short as tests need them. */
import { decodeValue, encodeValue } from "../../src/codec/value-bytes.ts";
import type { Functions } from "../../src/definition/function-definition.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import type { AskRequest, Compute, TurnOutcome } from "../../src/functions/ports.ts";
import { Registry } from "../../src/functions/registry.ts";
import { ownTurn, type SubmittedTurn, type TurnRequest } from "../../src/functions/turn-request.ts";
import type { TurnSettings } from "../../src/functions/turn-services.ts";
import { turnSettingsDefault } from "../../src/functions/turn-services.ts";
import { Turns } from "../../src/functions/turns.ts";
import type { Value } from "../../src/model/value.ts";
import type { VirtualNode } from "../../src/platform/virtual/virtual-node.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { InProcessCompute } from "../../src/testing/in-process-compute.ts";
import { MemoryStore } from "./memory-store.ts";

/** One call and how it ended, so far. */
export interface StagedCall {
  outcome: TurnOutcome | undefined;
  readonly turn: SubmittedTurn;
  /** "7", "handler_error", "degraded_offered" or "open". */
  readonly end: string;
}

export class TurnStage {
  readonly time = new VirtualTime({ seed: 1 });
  readonly node: VirtualNode = this.time.node("a");
  readonly store = new MemoryStore(this.node.clock);
  readonly turns: Turns;
  /** Asks that no test function answered. */
  readonly asks: AskRequest[] = [];
  compute: Compute = new InProcessCompute(this.time);
  onAsk: (request: AskRequest) => Promise<Value | undefined>;
  /** In the order in which calls ended. */
  readonly ended: string[] = [];

  constructor(functions: Functions, settings: Partial<TurnSettings> = {}) {
    this.onAsk = (request) => this.askHere(request);
    this.turns = new Turns({
      registry: new Registry(functions),
      store: this.store,
      calls: {
        ask: (request) => {
          this.asks.push(request);
          return this.onAsk(request);
        },
      },
      compute: { run: (run) => this.compute.run(run) },
      values: { encode: encodeValue, decode: decodeValue },
      platform: this.node,
      settings: { ...turnSettingsDefault, ...settings },
    });
  }

  /** `address` as in `cart/alice add`. */
  call(address: string, input?: Value, details: Partial<TurnRequest> = {}): StagedCall {
    const [entity = "", operation = ""] = address.split(" ");
    const [functionName = "", key = ""] = entity.split("/");
    const staged: { outcome: TurnOutcome | undefined } = { outcome: undefined };
    const turn = this.turns.submit({
      ...ownTurn({
        address: new EntityAddress(functionName, key, 0),
        operation,
        input: input === undefined ? new Uint8Array(0) : encodeValue(input),
        arrivedAt: this.node.clock.now(),
        deadlineAt: this.node.clock.now() + 60_000,
        settle: (outcome) => {
          if (staged.outcome !== undefined) throw new Error(`${address} was settled twice`);
          staged.outcome = outcome;
          this.ended.push(`${address}: ${endOf(outcome)}`);
        },
      }),
      ...details,
    });
    return {
      turn,
      get outcome() {
        return staged.outcome;
      },
      get end() {
        return endOf(staged.outcome);
      },
    };
  }

  /** Lets promises settle, and virtual time pass. */
  async pass(ms = 0): Promise<void> {
    await this.time.sleep(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Resolves when the call has ended; await it by `time.settled`. */
  async ending(call: StagedCall): Promise<void> {
    while (call.end === "open") await new Promise((resolve) => setImmediate(resolve));
  }

  /** Answers an ask as a node would that leads every key. */
  askHere(request: AskRequest): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      this.turns.submit({
        ...request,
        address: new EntityAddress(request.functionName, request.key, 0),
        input: request.input === undefined ? new Uint8Array(0) : encodeValue(request.input),
        caller: "",
        number: 0,
        received: 0,
        retry: false,
        outbox: false,
        timer: undefined,
        degradedAllowed: false,
        whenSplit: undefined,
        readFrom: "primary",
        seen: undefined,
        strictAcks: false,
        acks: undefined,
        arrivedAt: this.node.clock.now(),
        deadlineAt: this.node.clock.now() + request.timeoutMs,
        settle: (outcome) => {
          if (outcome.type === "ok") resolve(valueOf(outcome.value));
          else reject(outcome.type === "failed" ? outcome.error : new Error("degraded offered"));
        },
      });
    });
  }
}

function endOf(outcome: TurnOutcome | undefined): string {
  if (outcome === undefined) return "open";
  if (outcome.type === "failed") return outcome.error.code;
  if (outcome.type === "degraded_offered") return outcome.type;
  return outcome.value.length === 0 ? "done" : JSON.stringify(valueOf(outcome.value));
}

function valueOf(bytes: Uint8Array): Value | undefined {
  return bytes.length === 0 ? undefined : decodeValue(bytes);
}
