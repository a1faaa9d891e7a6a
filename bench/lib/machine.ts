/** On what and of what a figure was measured: without it a figure is worth nothing. */
import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

export interface MachineDescription {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** With a `+` behind it when files were changed; "unknown" outside a repository. */
  readonly commit: string;
  readonly date: string;
  /** Of the last minute, before the run: above 0.5 others were at work. */
  readonly loadAverage: number;
}

export function describeMachine(): MachineDescription {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString(),
    loadAverage: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

function commit(): string {
  const id = git("rev-parse", "--short", "HEAD");
  if (id === undefined) return "unknown";
  return git("status", "--porcelain", "src", "bench") === "" ? id : `${id}+`;
}

function git(...args: string[]): string | undefined {
  const { status, stdout } = spawnSync("git", args, { cwd: repositoryRoot, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}
