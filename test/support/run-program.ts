/** Runs a program to its end and keeps what it printed; it ends with us, and after a time at last. */
import { spawn } from "node:child_process";

export interface ProgramEnd {
  /** -1 when a signal ended it. */
  readonly code: number;
  /** Both streams, as they came. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly env?: Readonly<Record<string, string>>;
}

export function runProgram(
  command: string,
  args: readonly string[],
  { cwd, timeoutMs, env = {} }: ProgramOptions,
): Promise<ProgramEnd> {
  // A program that runs tests must not take itself for a part of the run that started it.
  const { NODE_TEST_CONTEXT: _context, ...ours } = process.env;
  const child = spawn(command, args, {
    cwd,
    env: { ...ours, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  const end = (): void => void child.kill("SIGTERM");
  const timer = setTimeout(end, timeoutMs);
  process.once("exit", end);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      process.off("exit", end);
      resolve({ code: code ?? -1, output: output.join("") });
    });
  });
}
