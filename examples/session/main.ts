/** `npx tsx examples/session/main.ts`: two devices, whose reads go to whichever owner is at hand. */
import { connect } from "latticework/client";
import { startNode } from "latticework/node";
import { functions, type Functions } from "./functions.ts";

const settings = { functions, cluster: "session", listen: { port: 0 }, logger: "error" } as const;
await using first = await startNode(settings);
await using second = await startNode({ ...settings, join: [first.address] });
await using third = await startNode({ ...settings, join: [first.address] });
const nodes = [first.address, second.address, third.address];

await using phone = await connect<Functions>({ nodes, session: true });
await phone.get("notes", "ann").write({ id: "1", text: "buy tea" });
const token = phone.token();
console.log(`phone  wrote a note; its token has ${token.length} characters`);

await using laptop = await connect<Functions>({ nodes, token });
const anywhere = laptop.get("notes", "ann").with({ readFrom: "any", reply: "full" });
const asked = new Set<string>();
let missing = 0;
for (let read = 0; read < 200; read++) {
  const { value, node } = await anywhere.texts();
  asked.add(node);
  if (!value.includes("buy tea")) missing += 1;
}
console.log(`laptop read 200 times on ${asked.size} nodes: ${missing} times without the note`);
