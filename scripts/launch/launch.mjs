/** From a fresh clone to a running TypeScript program, with nothing but Node and npm. */
import path from "path";
import url from "url";
import { nodeVersionProblem } from "./node-version.mjs";
import { prepare } from "./prepare.mjs";
import { endLike, run } from "./run.mjs";

const root = path.resolve(path.dirname(url.fileURLToPath(import.meta.url)), "..", "..");

/** Runs `program` (from the root) under tsx with our arguments and ends as it ends. */
export function launch(program, args) {
  const problem = nodeVersionProblem(process.versions.node);
  if (problem !== undefined) {
    console.error(problem);
    process.exitCode = 1;
    return;
  }
  prepareAndRun(program, args).catch((error) => {
    console.error("latticework: " + error.message);
    process.exitCode = 1;
  });
}

async function prepareAndRun(program, args) {
  const failed = await prepare(root);
  if (failed !== undefined) return endLike(failed);
  const nodeArgs = ["--import", "tsx", path.join(root, program)].concat(args);
  return endLike(await run(process.execPath, nodeArgs, { cwd: root }));
}
