/**
 * A load generator in a process of its own, so that nothing else delays its calls, as the process
 * that started it holds it: orders go out, reports come back.
 */
import { fork, type ChildProcess } from "node:child_process";
import { bundle } from "../../scripts/programs/bundle.ts";

/** Also of the slowest thing that one is ordered to do. */
const reportTimeoutMs = 180_000;

interface Waiting<Report> {
  resolve(report: Report): void;
  reject(why: Error): void;
}

export class ForkedGenerator<Order extends object, Report extends { readonly type: string }> {
  readonly #child: ChildProcess;
  #waiting: Waiting<Report> | undefined;
  /** Why it can be asked nothing more. */
  #ended: Error | undefined;

  private constructor(script: string, plan: object) {
    this.#child = fork(script, [JSON.stringify(plan)], {
      execArgv: ["--enable-source-maps"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (report: Report) => this.#waiting?.resolve(report));
    const end = (): void => {
      this.kill();
    };
    process.once("exit", end);
    this.#child.once("exit", (code, signal) => {
      process.off("exit", end);
      this.#end(new Error(`the load generator ended (${String(code ?? signal)})`));
    });
    // An order that cannot be given; without a listener it would end this process as if it had failed.
    this.#child.on("error", (error) => {
      this.#end(error);
    });
  }

  #end(why: Error): void {
    this.#ended ??= why;
    this.#waiting?.reject(why);
  }

  /** @param plan the only argument of the program, as JSON */
  static async start<Order extends object, Report extends { readonly type: string }>(
    program: string,
    plan: object,
  ): Promise<ForkedGenerator<Order, Report>> {
    const [script = ""] = await bundle([program]);
    return new ForkedGenerator<Order, Report>(script, plan);
  }

  /** Resolves with its report, which must be of this type. One order at a time. */
  order<T extends Report["type"]>(
    order: Order,
    answer: T,
  ): Promise<Extract<Report, { readonly type: T }>> {
    if (this.#ended === undefined) this.#child.send(order);
    return this.reported(answer);
  }

  /** What it says next, which must be of this type. */
  async reported<T extends Report["type"]>(
    type: T,
  ): Promise<Extract<Report, { readonly type: T }>> {
    let timer: NodeJS.Timeout | undefined;
    const report = await new Promise<Report>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#ended !== undefined) reject(this.#ended);
      timer = setTimeout(() => {
        reject(new Error(`the load generator does not say "${type}" in 180 s`));
      }, reportTimeoutMs);
    }).finally(() => {
      clearTimeout(timer);
      this.#waiting = undefined;
    });
    if (report.type !== type) {
      throw new Error(`the load generator said ${report.type}, not ${type}`);
    }
    return report as Extract<Report, { readonly type: T }>;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
