/**
 * Runs a program to its end without blocking this process, which may be serving it meanwhile. What
 * it printed is part of the error when it fails: a test that says only "exit code 1" helps nobody.
 */
import { spawn } from "node:child_process";

/** Nothing that a test runs to its end may take longer. */
const timeoutMs = 120_000;

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Resolves with what it printed on standard output; rejects unless it ends with 0 in 120 s. */
async function runCommand(
  command: string,
  args: readonly string[],
  { cwd, env = process.env }: CommandOptions,
): Promise<string> {
  // A test runner started by a test must not take itself for a part of that run.
  const { NODE_TEST_CONTEXT: _context, ...ownEnv } = env;
  const child = spawn(command, args, { cwd, env: ownEnv, stdio: ["ignore", "pipe", "pipe"] });
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const timer = setTimeout(() => {
    errors.push(`\nended: it took longer than ${String(timeoutMs)} ms`);
    child.kill("SIGKILL");
  }, timeoutMs);
  const how = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      resolve(signal ?? String(code));
    });
  }).finally(() => {
    clearTimeout(timer);
  });
  if (how === "0") return output.join("");
  const title = `${[command, ...args].join(" ")} ended with ${how}`;
  throw new Error([title, output.join(""), errors.join("")].join("\n"));
}

/** `runCommand` for a program of this Node.js. */
export function runNode(args: readonly string[], options: CommandOptions): Promise<string> {
  return runCommand(process.execPath, args, options);
}

/** `runCommand` for npm. */
export function runNpm(args: readonly string[], options: CommandOptions): Promise<string> {
  const script = process.env["npm_execpath"];
  return script !== undefined && /npm-cli\.c?js$/.test(script)
    ? runNode([script, ...args], options)
    : runCommand("npm", args, options);
}
