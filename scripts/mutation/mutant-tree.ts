/** A copy of the source with one mistake planted, in a folder of its own. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { repositoryRoot } from "../checks/source-files.ts";
import { applyMutant, type Mutant } from "./apply-mutant.ts";

export interface MutantTree extends Disposable {
  readonly root: string;
  /** What the compiler says about it; "" for nothing. */
  compile(): string;
}

const copied = ["src", "scripts/simulation", "package.json", "tsconfig.json"];

/** A mistake may leave something unused. */
const lenient = ["--noUnusedLocals", "false", "--noUnusedParameters", "false"];

/** @throws Error when the mutant does not apply */
export function plantMutant(mutant: Mutant): MutantTree {
  const root = mkdtempSync(path.join(tmpdir(), `latticework-mutant-${mutant.name}-`));
  const remove = (): void => {
    rmSync(root, { recursive: true, force: true });
  };
  try {
    for (const name of copied) {
      cpSync(path.join(repositoryRoot, name), path.join(root, name), { recursive: true });
    }
    symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(root, "node_modules"));
    applyMutant(root, mutant);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    root,
    compile: () => {
      const tsc = path.join(root, "node_modules/typescript/bin/tsc");
      const { status, stdout } = spawnSync(
        process.execPath,
        [tsc, "-p", "src", "--noEmit", ...lenient],
        { cwd: root, encoding: "utf8" },
      );
      return status === 0 ? "" : stdout;
    },
    [Symbol.dispose]: remove,
  };
}
