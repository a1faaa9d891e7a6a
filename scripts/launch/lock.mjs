/**
 * A lock between runs on one machine, as a file that holds the owner's process id: two runs that
 * start at the same time must not install into the same folder. A lock whose owner has died, or
 * that is older than anything it protects takes, is taken over.
 */
import fs from "fs";
import path from "path";

const pollMs = 200;
const staleAfterMs = 15 * 60 * 1000;
/** An owner needs this long at most between creating the file and writing its id into it. */
const unwrittenForMs = 5000;

/** Runs `work` while holding the lock `file`; calls `waiting(pid)` once if another run holds it. */
export async function withLock(file, waiting, work) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  let hasSaidSo = false;
  while (!tryTake(file)) {
    const owner = ownerOf(file);
    if (owner === undefined || !isAlive(owner)) {
      takeAway(file, owner);
      continue;
    }
    if (!hasSaidSo) waiting(owner.pid);
    hasSaidSo = true;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const release = () => fs.rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

function tryTake(file) {
  try {
    fs.writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** `undefined` when the file has gone. */
function ownerOf(file) {
  try {
    return { pid: Number(fs.readFileSync(file, "utf8")), sinceMs: fs.statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(owner) {
  const ageMs = Date.now() - owner.sinceMs;
  if (owner.pid === 0) return ageMs < unwrittenForMs;
  if (ageMs > staleAfterMs) return false;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** By renaming, which only one of several waiting runs can do; a fresh lock is put back. */
function takeAway(file, owner) {
  if (owner === undefined) return;
  const aside = file + "." + process.pid;
  try {
    fs.renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  const taken = ownerOf(aside);
  if (taken !== undefined && taken.pid !== owner.pid && isAlive(taken)) fs.renameSync(aside, file);
  else fs.rmSync(aside, { force: true });
}
