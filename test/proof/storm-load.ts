/**
 * A generator of `reconnect-storm`: many clients in one process, each with a connection of its own.
 * A client that lost it dials again by itself; a round of calls shows when each is served again.
 * Usage: forked with a `StormPlan` as its only argument, ordered by IPC (`storm-messages.ts`).
 */
import { connect, type Client } from "latticework/client";
import { monotonicMs } from "../support/monotonic.ts";
import { RecordFile } from "../support/record-file.ts";
import { answerOf } from "../support/recorder.ts";
import type { Functions } from "./functions/tallies.ts";
import { keyOf, type StormOrder, type StormPlan, type StormReport } from "./storm-messages.ts";

/** Clients that connect at the same time before anything is measured. */
const connectConcurrency = 16;
/** On a busy machine. */
const connectTimeoutMs = 30_000;

async function main(plan: StormPlan): Promise<void> {
  const record = await RecordFile.create("reconnect-storm");
  const clients = await connectAll(plan);
  let calls = 0;
  const call = async (client: Client<Functions>, index: number, round: string): Promise<void> => {
    const key = keyOf(plan.first + index);
    const handle = client.get("strictTally", key).with({ timeoutMs: plan.timeoutMs });
    const sentAt = monotonicMs();
    const answer = await answerOf(handle.with({ reply: "full" }).add(1));
    record.add({
      ...{ call: `${key}#${String(++calls)}`, functionName: "strictTally", key },
      ...{ operation: "add", input: 1, from: round },
      ...{ sentAt, answeredAt: monotonicMs(), answer },
    });
  };
  const obey = async (order: StormOrder): Promise<void> => {
    if (order.type === "call") {
      await Promise.all(clients.map((client, index) => call(client, index, order.round)));
      report({ type: "called" });
    } else {
      await Promise.all(clients.map((client) => client.close()));
      await record.close();
      report({ type: "stopped" });
    }
  };
  process.on("message", (order: StormOrder) => void obey(order));
  process.once("disconnect", () => process.exit(1));
  report({ type: "connected", record: record.file });
}

async function connectAll({ clients, addresses }: StormPlan): Promise<Client<Functions>[]> {
  const connected: Client<Functions>[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < clients) {
      const index = next++;
      // One link each, to any node, which forwards: 1,000 clients are 1,000 connections.
      const options = { nodes: addresses, direct: false, timeoutMs: connectTimeoutMs };
      connected[index] = await connect<Functions>(options);
    }
  };
  await Promise.all(Array.from({ length: connectConcurrency }, worker));
  return connected;
}

function report(message: StormReport): void {
  process.send?.(message);
}

await main(JSON.parse(process.argv[2] ?? "{}") as StormPlan);
