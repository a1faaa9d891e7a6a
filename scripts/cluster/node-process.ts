/**
 * A node in a process of its own, held by the process that started it: for the demonstration, the
 * proofs and the tests with real processes. Every process started here is ended with its parent.
 */
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { NodeStatus } from "latticework/node";
import type { NodeReport, NodeRequest } from "./node-messages.ts";

const script = fileURLToPath(new URL("../start-node.ts", import.meta.url));
const statusTimeoutMs = 5_000;
const readyTimeoutMs = 30_000;

export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #asked = new Map<number, (status: NodeStatus) => void>();
  #requests = 0;
  /** Set once it is ready. */
  id = "";
  address = "";
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  private constructor(args: readonly string[]) {
    this.#child = fork(script, args, {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => this.#output.push(text));
    }
    this.ended = new Promise((resolve) => {
      this.#child.on("exit", (code, signal) => {
        resolve(code ?? signal ?? 0);
      });
    });
    const end = (): void => void this.#child.kill("SIGKILL");
    process.once("exit", end);
    void this.ended.then(() => process.off("exit", end));
  }

  /** Starts a node with the options of `npm run node`; resolves when it is ready. */
  static async start(args: readonly string[]): Promise<NodeProcess> {
    const started = new NodeProcess(args);
    await started.#ready();
    return started;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it printed so far, on both streams. */
  get output(): string {
    return this.#output.join("");
  }

  /** Rejects when the node does not answer within 5 s. */
  status(): Promise<NodeStatus> {
    const request = ++this.#requests;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(request);
        reject(new Error(`node ${this.id} (pid ${String(this.pid)}) tells no status in 5 s`));
      }, statusTimeoutMs);
      this.#asked.set(request, (status) => {
        clearTimeout(timer);
        resolve(status);
      });
      this.#child.send({ type: "status", request } satisfies NodeRequest);
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.ended;
  }

  /** Lets it leave in order; resolves when it is gone. */
  async leave(): Promise<void> {
    this.signal("SIGTERM");
    await this.ended;
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => {
        clearTimeout(timer);
        this.signal("SIGKILL");
        reject(new Error(`a node ${why}:\n${this.output}`));
      };
      const timer = setTimeout(() => {
        fail("was not ready within 30 s");
      }, readyTimeoutMs);
      void this.ended.then((how) => {
        fail(`ended before it was ready (${String(how)})`);
      });
      this.#child.on("message", (report: NodeReport) => {
        if (report.type === "ready") {
          clearTimeout(timer);
          this.id = report.id;
          this.address = report.address;
          resolve();
        } else {
          this.#asked.get(report.request)?.(report.status);
          this.#asked.delete(report.request);
        }
      });
    });
  }
}
