/**
 * A process that a bench started (`host.ts`), seen from the one that started it. It runs a bundle:
 * plain JavaScript, as users run it, and as fast as file by file. tsx would put its own code around
 * every inner function.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { bundle } from "../../scripts/programs/bundle.ts";
import type { HostArguments, HostReport, HostRequest } from "./host-messages.ts";

const startTimeoutMs = 60_000;

export interface HostProcessOptions extends HostArguments {
  /** The processor that it may use; `undefined` for any. */
  readonly core: number | undefined;
  /** Where it writes a profile of the processor, if anywhere. */
  readonly profileFolder: string | undefined;
}

export class HostProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<string>;
  #address = "";

  private constructor(script: string, options: HostProcessOptions) {
    const { core, profileFolder, role, subject, addresses } = options;
    const node = [
      process.execPath,
      "--enable-source-maps",
      ...(profileFolder === undefined
        ? []
        : [
            "--cpu-prof",
            `--cpu-prof-dir=${profileFolder}`,
            `--cpu-prof-name=${profileName(options)}`,
          ]),
      script,
      JSON.stringify({ role, subject, addresses } satisfies HostArguments),
    ];
    const command = core === undefined ? node : ["taskset", "-c", String(core), ...node];
    this.#name = `${subject} ${role}`;
    this.#child = spawn(command[0]!, command.slice(1), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#ended = new Promise((resolve) => {
      this.#child.once("exit", (code, signal) => {
        resolve(`${this.#name} ended with ${signal ?? `code ${String(code)}`}`);
      });
      this.#child.once("error", (error) => {
        resolve(`${this.#name} did not start: ${error.message}`);
      });
    });
  }

  /** Resolves when it serves, or is connected. */
  static async start(options: HostProcessOptions): Promise<HostProcess> {
    const [script = ""] = await bundle(["bench/lib/host.ts"]);
    const host = new HostProcess(script, options);
    const { address } = await host.#next("ready", startTimeoutMs);
    host.#address = address;
    return host;
  }

  get address(): string {
    return this.#address;
  }

  /** Asks for something; resolves with the report of that type. */
  ask<T extends HostReport["type"]>(
    request: HostRequest,
    type: T,
    timeoutMs: number,
  ): Promise<Extract<HostReport, { type: T }>> {
    const answer = this.#next(type, timeoutMs);
    this.#child.send(request);
    return answer;
  }

  async end(): Promise<void> {
    if (this.#child.connected) this.#child.send({ type: "end" } satisfies HostRequest);
    const giveUp = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    await this.#ended;
    clearTimeout(giveUp);
  }

  #next<T extends HostReport["type"]>(
    type: T,
    timeoutMs: number,
  ): Promise<Extract<HostReport, { type: T }>> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#child.off("message", take);
      };
      const take = (report: HostReport): void => {
        if (report.type !== type) return;
        done();
        resolve(report as Extract<HostReport, { type: T }>);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`${this.#name}: no ${type} within ${String(timeoutMs)} ms`));
      }, timeoutMs);
      this.#child.on("message", take);
      void this.#ended.then((how) => {
        done();
        reject(new Error(how));
      });
    });
  }
}

function profileName({ subject, role, addresses }: HostProcessOptions): string {
  return `${subject}-${role}-${String(addresses.length)}.cpuprofile`;
}
