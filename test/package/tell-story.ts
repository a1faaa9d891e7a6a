/**
 * The story of the README, told by its own files in processes of their own: a node, a second one
 * that joins it, and a client.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { freePorts } from "../../scripts/cluster/free-ports.ts";
import { runNode } from "../support/run-command.ts";
import type { Snippet } from "../support/read-snippets.ts";
import { compile } from "./install.ts";
import type { Project } from "./project.ts";

/** The node that the README's node joins: its own text leaves that one to the reader. */
const firstNode = `
import { startNode } from "latticework/node";
import { functions } from "./functions.ts";

const node = await startNode({ functions, listen: { port: 7400 }, logger: "silent" });
const timer = setInterval(() => {
  const alive = node.status().members.filter((member) => member.status === "alive");
  if (alive.length < 2) return;
  clearInterval(timer);
  console.log("two nodes");
}, 20);
`;
const joinTimeoutMs = 30_000;

/** Returns what `client.ts` printed. */
export async function tellStory(project: Project, snippets: readonly Snippet[]): Promise<string> {
  const [first = 0, second = 0] = await freePorts(2, 12_000 + (process.pid % 16_000));
  const place = (code: string): string =>
    code.replaceAll("7400", String(first)).replaceAll("7401", String(second));
  const files = snippets.map(({ name, code }) => [name, place(code)] as const);
  const folder = project.write("readme", Object.fromEntries(files));
  writeFileSync(path.join(folder, "first.ts"), place(firstNode));
  await compile(folder);
  const nodes: ChildProcess[] = [];
  try {
    nodes.push(start(folder, "first.js"), start(folder, "node.js"));
    await firstLine(nodes);
    return await runNode(["client.js"], { cwd: folder });
  } finally {
    for (const node of nodes) node.kill("SIGKILL");
  }
}

function start(folder: string, file: string): ChildProcess {
  return spawn(process.execPath, [file], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
}

/** Resolves when the first node has said that the second one is there. */
function firstLine(nodes: readonly ChildProcess[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`the README's nodes did not meet in ${String(joinTimeoutMs)} ms`));
    }, joinTimeoutMs);
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      end();
    };
    for (const node of nodes) {
      node.once("exit", (code) => {
        settle(() => {
          reject(new Error(`a node of the README ended with ${String(code)}`));
        });
      });
    }
    nodes[0]?.stdout?.once("data", () => {
      settle(resolve);
    });
  });
}
