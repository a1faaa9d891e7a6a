/** `npx tsx examples/leaderboard/main.ts`: players submit scores while the first places are watched. */
import { connect, type Client } from "latticework/client";
import { startNode } from "latticework/node";
import { functions, topOf, type Functions, type Place } from "./functions.ts";

const players = ["ann", "bob", "cid", "dee", "eve"];
const rounds = 40;
/** Nobody else gets as far: whoever watches knows by it that all is in. */
const last = { player: "zoe", score: 1_000 };

const settings = {
  functions,
  cluster: "leaderboard",
  listen: { port: 0 },
  logger: "error",
} as const;
await using first = await startNode(settings);
await using second = await startNode({ ...settings, join: [first.address] });
await using player = await connect<Functions>({ nodes: [first.address] });
await using spectator = await connect<Functions>({ nodes: [second.address] });

console.log("live, the first three:");
const watching = watch(spectator);
const board = player.get("leaderboard", "pinball");
for (let round = 0; round < rounds; round++) {
  const score = (round * 379) % (last.score - 1);
  await board.submit({ player: players[round % players.length]!, score });
}
await board.submit(last);
await watching;

console.log("at the end, all of them:");
for (const { rank, player: name, score } of await board.top(players.length + 1)) {
  console.log(`  ${rank}. ${name.padEnd(4)} ${score}`);
}

/** Prints the first three whenever they change, until the last score is in. */
async function watch(client: Client<Functions>): Promise<void> {
  let shown = "";
  for await (const { best } of client.get("leaderboard", "pinball").watch()) {
    const line = topOf(Object.entries(best), 3).map(placed).join("  ");
    if (line !== shown) console.log(`  ${(shown = line)}`);
    if (best[last.player] === last.score) return;
  }
}

function placed({ rank, player: name, score }: Place): string {
  return `${rank}. ${name} ${score}`;
}
