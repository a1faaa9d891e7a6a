/**
 * Judges a run of `join-and-failover` in a process of its own: reads every cart through a fresh
 * client and compares it with the load generator's record. Each call bought one of a thing of its
 * own name, so that a lost or repeated call can be told from all others.
 * Usage: `tsx join-and-failover.ts CALLS.jsonl ADDRESS…`; prints one line of JSON.
 */
import { connect, type Client } from "latticework/client";
import type { Functions } from "../../../examples/cart/functions.ts";
import { readRecords, type CallRecord } from "../../support/record-file.ts";

export interface FailoverJudgement {
  readonly acknowledged: number;
  readonly indeterminate: number;
  readonly refused: number;
  readonly lost: number;
  /** Calls that took effect twice; allowed to those whose caller agreed to degraded service. */
  readonly doubled: number;
  readonly doubledUndegraded: number;
  readonly refusedButPresent: number;
  readonly carts: number;
}

const concurrency = 32;

/** A cart that nobody shows for so long counts as empty: what it held is lost to its callers. */
const readTimeoutMs = 3_000;

type Lines = Readonly<Record<string, number>>;

async function snapshot(client: Client<Functions>, key: string): Promise<Lines | undefined> {
  for await (const { lines } of client.get("cart", key).watch()) return lines;
  return undefined;
}

function nothingAfter(ms: number): Promise<undefined> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, undefined).unref();
  });
}

async function judge(file: string, nodes: readonly string[]): Promise<FailoverJudgement> {
  const calls = await readRecords(file);
  const client = await connect<Functions>({ nodes });
  const keys = [...new Set(calls.map(({ key }) => key))];
  const carts = new Map<string, Lines>();
  const rest = [...keys];
  const read = async (): Promise<void> => {
    for (let key = rest.pop(); key !== undefined; key = rest.pop()) {
      const lines = await Promise.race([snapshot(client, key), nothingAfter(readTimeoutMs)]);
      if (lines !== undefined) carts.set(key, lines);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, read));
  await client.close();

  const bought = ({ key, call }: CallRecord): number => carts.get(key)?.[call] ?? 0;
  const ok = calls.filter(({ answer }) => answer.type === "ok");
  const failed = calls.filter(({ answer }) => answer.type === "failed");
  const unknown = failed.filter(({ answer }) => answer.type === "failed" && answer.indeterminate);
  const refused = failed.filter((call) => !unknown.includes(call));
  const twice = calls.filter((call) => bought(call) > 1);
  return {
    acknowledged: ok.length,
    indeterminate: unknown.length,
    refused: refused.length,
    lost: ok.filter((call) => bought(call) === 0).length,
    doubled: twice.length,
    doubledUndegraded: twice.filter(({ answer }) => answer.type === "ok" && !answer.degraded)
      .length,
    refusedButPresent: refused.filter((call) => bought(call) > 0).length,
    carts: carts.size,
  };
}

const [file = "", ...nodes] = process.argv.slice(2);
console.log(JSON.stringify(await judge(file, nodes)));
