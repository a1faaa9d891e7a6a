/**
 * The story of the README, told by its own files in processes of their own: a node, a second one
 * that joins it, and a client.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { runNode } from "../support/run-command.ts";

const joinTimeoutMs = 30_000;

/** Returns what `client.js` printed. `folder` has the compiled files of the README. */
export async function tellStory(folder: string): Promise<string> {
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
