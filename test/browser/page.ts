/**
 * What runs inside the browser: stories that a test tells by name and address. They are part of the
 * bundle, since a function handed over by the test would bring helpers that the page does not have.
 */
import { connect, LatticeError } from "latticework/client";
import type { Functions } from "./functions.ts";

/** Calls, reads and detailed replies. */
async function calls(address: string): Promise<unknown> {
  await using client = await connect<Functions>({ nodes: [address] });
  const room = client.get("room", "lobby");
  await room.say({ from: "page", text: "grüß dich 👋" });
  const { value, hops, degraded } = await room.with({ reply: "full" }).count();
  return { value, hops, degraded, bytes: [...(await room.bytes())] };
}

/** Many calls at once: their frames are batched, and every one takes effect once. */
async function many(address: string, count: number): Promise<number> {
  await using client = await connect<Functions>({ nodes: [address] });
  const keys = Array.from({ length: 8 }, (_, n) => `room-${String(n)}`);
  await Promise.all(
    Array.from({ length: count }, (_, n) =>
      client.get("room", keys[n % keys.length] ?? "").say({ from: "page", text: String(n) }),
    ),
  );
  const counts = await Promise.all(keys.map((key) => client.get("room", key).count()));
  return counts.reduce((sum, n) => sum + n, 0);
}

/** Watches until `last` was said, and tells every count that it saw. */
async function watch(address: string, last: string): Promise<number[]> {
  await using client = await connect<Functions>({ nodes: [address] });
  const seen: number[] = [];
  for await (const { said, latest } of client.get("room", "watched").watch()) {
    seen.push(said);
    if (latest === last) break;
  }
  return seen;
}

/** The code and data of every error that a page can provoke. */
async function errors(address: string): Promise<Record<string, unknown>> {
  await using client = await connect<Functions>({ nodes: [address] });
  const room = client.get("room", "errors");
  const anything = client as unknown as {
    get(name: string, key: string): Record<string, (input?: unknown) => Promise<unknown>>;
  };
  const loose = anything.get("room", "errors");
  return {
    unknownFunction: await codeOf(() => anything.get("rom", "a")["count"]?.()),
    unknownHandler: await codeOf(() => loose["shout"]?.()),
    longKey: await codeOf(() => client.get("room", "k".repeat(513)).count()),
    noValue: await codeOf(() => loose["say"]?.({ from: new Set(["page"]), text: "" })),
    tooLarge: await codeOf(() => room.say({ from: "page", text: "x".repeat(1024 * 1024) })),
    refused: await codeOf(() => room.say({ from: "page", text: "" })),
    thrown: await codeOf(() => room.crash()),
    deadline: await codeOf(() => room.with({ timeoutMs: 50 }).hang()),
    stillWorks: await room.count(),
  };
}

/** Says `count` things one after the other, calling `tick` after each; tells how many arrived. */
async function steadily(addresses: string[], count: number): Promise<number> {
  await using client = await connect<Functions>({ nodes: addresses });
  for (let n = 0; n < count; n++) {
    await client.get("room", `steady-${String(n % 16)}`).say({ from: "page", text: String(n) });
    progress.said = n + 1;
  }
  let total = 0;
  for (let n = 0; n < 16; n++) total += await client.get("room", `steady-${String(n)}`).count();
  return total;
}

/** What a page of a stranger meets. */
async function refusal(address: string): Promise<unknown> {
  return codeOf(async () => {
    await using client = await connect<Functions>({ nodes: [address], timeoutMs: 1_000 });
    return await client.get("room", "lobby").count();
  });
}

async function codeOf(run: () => unknown): Promise<unknown> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!(error instanceof LatticeError)) return { thrown: String(error) };
    const { code, data } = error;
    return data === undefined ? { code } : { code, data };
  }
}

/** Read by the test while `steadily` runs. */
const progress = { said: 0 };

export type Stories = typeof stories;
const stories = { calls, many, watch, errors, steadily, refusal };
Object.assign(globalThis, { stories, progress });
