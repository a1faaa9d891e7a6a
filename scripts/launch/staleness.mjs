/** Decides whether the installation and the build are older than what they are made from. */
import fs from "fs";
import path from "path";

/**
 * True when `node_modules` is missing or was made from another lockfile. Times decide first; an
 * older `node_modules` still passes when it holds what the lockfile names, since `git checkout`
 * gives files new times.
 */
export function needsInstall(root) {
  const wanted = path.join(root, "package-lock.json");
  const present = path.join(root, "node_modules", ".package-lock.json");
  if (!fs.existsSync(present)) return true;
  if (fs.statSync(present).mtimeMs >= fs.statSync(wanted).mtimeMs) return false;
  return !holdsAll(readPackages(present), readPackages(wanted));
}

function readPackages(file) {
  return JSON.parse(fs.readFileSync(file, "utf8")).packages || {};
}

function holdsAll(present, wanted) {
  const wantedNames = Object.keys(wanted).filter((name) => name !== "");
  const isComplete = wantedNames.every((name) => {
    if (present[name] === undefined) return wanted[name].optional === true;
    return present[name].version === wanted[name].version;
  });
  return isComplete && Object.keys(present).every((name) => wanted[name] !== undefined);
}

/**
 * True when the last build is missing or began before the newest change. Folders count too: their
 * time changes when a file in them goes away.
 */
export function needsBuild(root) {
  const stamp = buildStamp(root);
  if (!fs.existsSync(path.join(root, "dist", "entry", "main.js"))) return true;
  if (!fs.existsSync(stamp)) return true;
  const sources = [path.join(root, "tsconfig.json"), path.join(root, "src")];
  const newestAt = Math.max.apply(null, sources.map(newestChangeAt));
  return newestAt > fs.statSync(stamp).mtimeMs;
}

/** An empty file whose time is when the last good build began. */
export function buildStamp(root) {
  return path.join(root, ".cache", "built");
}

function newestChangeAt(file) {
  const stat = fs.statSync(file);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = fs.readdirSync(file).map((name) => newestChangeAt(path.join(file, name)));
  return Math.max.apply(null, inside.concat(stat.mtimeMs));
}
