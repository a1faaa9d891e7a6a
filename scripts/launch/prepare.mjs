/** Installs and builds what is missing, says so, and does nothing otherwise. */
import fs from "fs";
import path from "path";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";
import { buildStamp, needsBuild, needsInstall } from "./staleness.mjs";

const installArgs = ["ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];

/** Resolves with a failed outcome of a child process, or with `undefined` when all is in place. */
export async function prepare(root) {
  if (!needsInstall(root) && !needsBuild(root)) return undefined;
  return withLock(
    path.join(root, ".cache", "prepare.lock"),
    (pid) => say("waiting for process " + pid + ", which is installing or building here"),
    async () => {
      // Looked at again inside the lock: another run may have done it meanwhile.
      if (needsInstall(root)) {
        const failed = await install(root);
        if (failed !== undefined) return failed;
      }
      return needsBuild(root) ? build(root) : undefined;
    },
  );
}

async function install(root) {
  say("installing what package-lock.json names (npm " + installArgs.join(" ") + ")");
  const outcome = await npm(installArgs, root);
  return hasFailed(outcome, "the installation failed: see npm's message above");
}

async function build(root) {
  say("building dist (tsc -p src)");
  const beganAt = new Date();
  const compiler = path.join(root, "node_modules", "typescript", "bin", "tsc");
  const outcome = await run(process.execPath, [compiler, "-p", "src"], { cwd: root });
  const failed = hasFailed(outcome, "the build failed: see the compiler's messages above");
  if (failed !== undefined) return failed;
  const stamp = buildStamp(root);
  fs.mkdirSync(path.dirname(stamp), { recursive: true });
  fs.writeFileSync(stamp, "");
  fs.utimesSync(stamp, beganAt, beganAt);
  return undefined;
}

/** Under `npm start` the same npm is at hand as a script; else the one on the path. */
function npm(args, root) {
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) {
    return run(process.execPath, [script].concat(args), { cwd: root });
  }
  return run("npm", args, { cwd: root, shell: process.platform === "win32" });
}

function hasFailed(outcome, message) {
  if (outcome.code === 0) return undefined;
  say(message);
  return outcome;
}

function say(text) {
  console.error("latticework: " + text);
}
