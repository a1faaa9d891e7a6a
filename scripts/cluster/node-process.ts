/**
 * A node in a process of its own, held by the process that started it: for the demonstration, the
 * proofs and the tests with real processes. Every process started here is ended with its parent.
 */
import { fork, type ChildProcess } from "node:child_process";
import type { NodeEvent, NodeStatus } from "latticework/node";
import { repositoryRoot } from "../checks/source-files.ts";
import { bundle } from "../programs/bundle.ts";
import type { CopyReport, CopyWanted, PartitionReport } from "./copy-report.ts";
import type { LoadReport } from "./load-report.ts";
import type { MemberReport } from "./member-report.ts";
import type { NodeAnswers, NodeQuestion, NodeReport, NodeRequest } from "./node-messages.ts";

const program = "scripts/start-node.ts";
const functionsOption = "--functions";
const defaultFunctions = "examples/cart/functions.ts";
const answerTimeoutMs = 10_000;
/** Characters of a node's output in an error. */
const outputShown = 2_000;
const readyTimeoutMs = 30_000;

export interface NodeProcessOptions {
  /** A checkout to run instead of this one, such as one with a planted fault. */
  readonly root?: string | undefined;
  /** Of Node.js, besides source maps. */
  readonly flags?: readonly string[] | undefined;
}

export class NodeProcess {
  readonly #child: ChildProcess;
  readonly #output: string[] = [];
  readonly #asked = new Map<number, (answer: unknown) => void>();
  #requests = 0;
  /** Set once it is ready. */
  id = "";
  address = "";
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  private constructor(
    script: string,
    args: readonly string[],
    { root = repositoryRoot, flags = [] }: NodeProcessOptions,
  ) {
    this.#child = fork(script, args, {
      cwd: root,
      execArgv: ["--enable-source-maps", ...flags],
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
  static async start(
    args: readonly string[],
    options: NodeProcessOptions = {},
  ): Promise<NodeProcess> {
    const { script, ownArgs } = await bundleNode(args, options.root ?? repositoryRoot);
    const started = new NodeProcess(script, ownArgs, options);
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

  /** What it tells of itself. This and what else is asked of it reject when it does not answer within 10 s. */
  status(): Promise<NodeStatus> {
    return this.#ask<"status">({ type: "status" });
  }

  /** What it knows of the members of its cluster. */
  members(): Promise<readonly MemberReport[]> {
    return this.#ask<"members">({ type: "members" });
  }

  /** How it stands in every partition that it knows. */
  partitions(): Promise<readonly PartitionReport[]> {
    return this.#ask<"partitions">({ type: "partitions" });
  }

  /** What it holds of these entities itself, in their order. */
  copies(of: readonly CopyWanted[]): Promise<readonly (CopyReport | undefined)[]> {
    return this.#ask<"copies">({ type: "copies", of });
  }

  /** Steps its wall clock, and no other. */
  stepClock(byMs: number): Promise<undefined> {
    return this.#ask<"step-clock">({ type: "step-clock", byMs });
  }

  /** How late its event loop ran since this was asked last, and its memory. */
  load(): Promise<LoadReport> {
    return this.#ask<"load">({ type: "load" });
  }

  /** What happened in it since this was asked last; the first time it begins to keep events. */
  events(of: readonly NodeEvent["type"][]): Promise<readonly NodeEvent[]> {
    return this.#ask<"events">({ type: "events", of });
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

  #ask<T extends keyof NodeAnswers>(question: NodeQuestion): Promise<NodeAnswers[T]> {
    const request = ++this.#requests;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#asked.delete(request);
        reject(new Error(`node ${this.id} (pid ${String(this.pid)}) gives no answer in 10 s`));
      }, answerTimeoutMs);
      this.#asked.set(request, (answer) => {
        clearTimeout(timer);
        resolve(answer as NodeAnswers[T]);
      });
      this.#child.send({ ...question, request } satisfies NodeRequest, (error) => {
        if (error === null) return;
        clearTimeout(timer);
        this.#asked.delete(request);
        const said = this.output.slice(-outputShown);
        reject(new Error(`node ${this.id} (pid ${String(this.pid)}) is gone:\n${said}`));
      });
    });
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
          this.#asked.get(report.request)?.(report.answer);
          this.#asked.delete(report.request);
        }
      });
    });
  }
}

interface BundledNode {
  readonly script: string;
  readonly ownArgs: readonly string[];
}

/** By the program's files, once a process: a proof starts one node after another. */
const bundles = new Map<string, Promise<string[]>>();

/** The functions are bundled with the node, so that both have the same `latticework`. */
async function bundleNode(args: readonly string[], root: string): Promise<BundledNode> {
  const functionsAt = args.indexOf(functionsOption) + 1;
  const functionsFile = functionsAt === 0 ? defaultFunctions : (args[functionsAt] ?? "");
  const files = [program, functionsFile];
  const key = JSON.stringify([root, files]);
  const made = bundles.get(key) ?? bundle(files, root);
  bundles.set(key, made);
  const [script = "", functions = ""] = await made;
  const others = functionsAt === 0 ? args : args.toSpliced(functionsAt - 1, 2);
  return { script, ownArgs: [...others, functionsOption, functions] };
}
