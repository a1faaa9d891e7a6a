/** `npx tsx examples/rate-limiter/main.ts`: one user who tries too often, through two clients. */
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "latticework/client";
import { startNode } from "latticework/node";
import { functions, limits, type Answer, type Functions } from "./functions.ts";

const tries = 5;

const settings = {
  functions,
  cluster: "rate-limiter",
  listen: { port: 0 },
  logger: "error",
} as const;
await using first = await startNode(settings);
await using second = await startNode({ ...settings, join: [first.address] });
await using phone = await connect<Functions>({ nodes: [first.address] });
await using laptop = await connect<Functions>({ nodes: [second.address] });

const { limit, windowMs } = limits.login;
console.log(`login/ann: ${limit} calls in any ${windowMs} ms`);
let answer: Answer | undefined;
for (let n = 0; n < tries; n++) answer = await tryLogin(n % 2 === 0 ? "phone" : "laptop");
if (answer?.retryAfterMs !== undefined) await wait(answer.retryAfterMs);
console.log("later");
await tryLogin("phone");

async function tryLogin(device: "phone" | "laptop"): Promise<Answer> {
  const client = device === "phone" ? phone : laptop;
  const given = await client.get("login", "ann").take();
  const { allowed, remaining, retryAfterMs } = given;
  const next = remaining > 0 ? `${remaining} left` : `next in ${retryAfterMs} ms`;
  console.log(`  ${device.padEnd(6)} ${allowed ? "allowed" : "refused"}, ${next}`);
  return given;
}
