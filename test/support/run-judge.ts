/** Runs a judge of `test/proof/judges` in a process of its own and reads its one line of JSON. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = new URL("../proof/judges/", import.meta.url);
/** Judges read a few hundred keys; more than this is a cluster that does not answer. */
const timeoutMs = 120_000;

export async function runJudge<T>(name: string, args: readonly string[]): Promise<T> {
  const script = fileURLToPath(new URL(`${name}.ts`, folder));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--import", "tsx", script, ...args],
    { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as T;
}
