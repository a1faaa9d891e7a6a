/** Runs a judge of `test/proof/judges` in a process of its own and reads its one line of JSON. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundle } from "../../scripts/programs/bundle.ts";

/** Judges read a few hundred keys; more than this is a cluster that does not answer. */
const timeoutMs = 120_000;

export async function runJudge<T>(name: string, args: readonly string[]): Promise<T> {
  const [script = ""] = await bundle([`test/proof/judges/${name}.ts`]);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--enable-source-maps", script, ...args],
    { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
  );
  return JSON.parse(stdout) as T;
}
