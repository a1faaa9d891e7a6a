/** One subject in its processes, ready to take load: its servers, and the client that calls them. */
import { availableParallelism } from "node:os";
import { spawnSync } from "node:child_process";
import { HostProcess } from "./host-process.ts";
import type { Load, LoadResult, Timing } from "./load.ts";
import { serverCounts, type SubjectName } from "./subjects.ts";

/** One load on one subject. */
export interface Measurement extends LoadResult {
  /** Processor time of the client per call, microseconds. */
  readonly clientUsPerCall: number;
  /** Of all servers together. */
  readonly serverUsPerCall: number;
}

const answerTimeoutMs = 10_000;
/** Beyond its time, for what the last calls take. */
const runSlackMs = 60_000;

export class Fleet {
  readonly #servers: readonly HostProcess[];
  readonly #client: HostProcess;

  private constructor(servers: readonly HostProcess[], client: HostProcess) {
    this.#servers = servers;
    this.#client = client;
  }

  /** @param profileFolder where its processes write profiles, if anywhere */
  static async start(subject: SubjectName, profileFolder: string | undefined): Promise<Fleet> {
    const count = serverCounts[subject];
    // One server and one client: a core for each, or the scheduler puts both on one every other time.
    const isPinned = count === 1 && canPin();
    const servers: HostProcess[] = [];
    try {
      for (let started = 0; started < count; started++) {
        const addresses = servers.map(({ address }) => address);
        const core = isPinned ? 0 : undefined;
        servers.push(
          await HostProcess.start({ role: "server", subject, addresses, core, profileFolder }),
        );
      }
      const addresses = servers.map(({ address }) => address);
      const core = isPinned ? 1 : undefined;
      const client = { role: "client", subject, addresses, core, profileFolder } as const;
      return new Fleet(servers, await HostProcess.start(client));
    } catch (error) {
      for (const server of servers) await server.end();
      throw error;
    }
  }

  async run(load: Load, timing: Timing): Promise<Measurement> {
    const serverBefore = await this.#serverTimeUs();
    const clientBefore = await timeUs(this.#client);
    const timeoutMs = timing.warmUpMs + timing.measureMs + runSlackMs;
    const { result } = await this.#client.ask({ type: "run", load, timing }, "result", timeoutMs);
    const clientUs = (await timeUs(this.#client)) - clientBefore;
    const serverUs = (await this.#serverTimeUs()) - serverBefore;
    const calls = Math.max(1, result.callsInAll);
    return {
      ...result,
      clientUsPerCall: clientUs / calls,
      serverUsPerCall: serverUs / calls,
    };
  }

  async end(): Promise<void> {
    await this.#client.end();
    // The last one may be linked to those before it.
    for (const server of this.#servers.toReversed()) await server.end();
  }

  async #serverTimeUs(): Promise<number> {
    let us = 0;
    for (const server of this.#servers) us += await timeUs(server);
    return us;
  }
}

async function timeUs(host: HostProcess): Promise<number> {
  return (await host.ask({ type: "processor-time" }, "processor-time", answerTimeoutMs)).us;
}

function canPin(): boolean {
  if (availableParallelism() < 2) return false;
  return spawnSync("taskset", ["-c", "0,1", "true"]).status === 0;
}
