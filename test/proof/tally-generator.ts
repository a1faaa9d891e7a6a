/** The load generator as the process that started it holds it: orders go out, reports come back. */
import { fork, type ChildProcess } from "node:child_process";
import { bundle } from "../../scripts/programs/bundle.ts";
import type { LoadOrder, LoadPlan, LoadReport } from "./tally-messages.ts";

const program = "test/proof/tally-load.ts";
/** Also of the preload, and of the answers that are waited for at the end. */
const reportTimeoutMs = 180_000;

export class TallyGenerator {
  readonly #child: ChildProcess;
  #waiting: { resolve: (report: LoadReport) => void; reject: (why: Error) => void } | undefined;
  /** The file of its record. */
  record = "";

  private constructor(script: string, plan: LoadPlan) {
    this.#child = fork(script, [JSON.stringify(plan)], {
      execArgv: ["--enable-source-maps"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (report: LoadReport) => this.#waiting?.resolve(report));
    const end = (): void => {
      this.kill();
    };
    process.once("exit", end);
    this.#child.once("exit", (code, signal) => {
      process.off("exit", end);
      this.#waiting?.reject(new Error(`the load generator ended (${String(code ?? signal)})`));
    });
  }

  /** Resolves when it is connected. */
  static async start(plan: LoadPlan): Promise<TallyGenerator> {
    const [script = ""] = await bundle([program]);
    const generator = new TallyGenerator(script, plan);
    const report = await generator.#reported("connected");
    if (report.type === "connected") generator.record = report.record;
    return generator;
  }

  /** Every entity is written once. */
  async preload(): Promise<void> {
    await this.#order({ type: "preload" }, "preloaded");
  }

  async begin(): Promise<void> {
    await this.#order({ type: "start" }, "started");
  }

  /** Calls each of these entities; resolves when the calls are under way. */
  async burst(entities: readonly number[], isProtected: boolean): Promise<void> {
    await this.#order({ type: "burst", entities, isProtected }, "burst");
  }

  /** Every call has ended and is in the record. */
  async stop(): Promise<void> {
    await this.#order({ type: "stop" }, "stopped");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #order(order: LoadOrder, answer: LoadReport["type"]): Promise<void> {
    this.#child.send(order);
    await this.#reported(answer);
  }

  async #reported(type: LoadReport["type"]): Promise<LoadReport> {
    let timer: NodeJS.Timeout | undefined;
    const report = await new Promise<LoadReport>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      timer = setTimeout(() => {
        reject(new Error(`the load generator does not say "${type}" in 180 s`));
      }, reportTimeoutMs);
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting = undefined;
    });
    if (report.type !== type)
      throw new Error(`the load generator said ${report.type}, not ${type}`);
    return report;
  }
}
