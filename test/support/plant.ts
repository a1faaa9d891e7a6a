/**
 * A copy of this checkout with a fault in it, for controls: sources and tools are copied, and
 * `node_modules` is a link. Nothing of it reaches the checkout itself.
 */
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

const copied = [
  "src",
  "test",
  "scripts",
  "examples",
  "bench",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "README.md",
];

export class Plant {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<Plant> {
    const root = await mkdtemp(path.join(tmpdir(), "latticework-plant-"));
    for (const name of copied) {
      await cp(path.join(repositoryRoot, name), path.join(root, name), { recursive: true });
    }
    await symlink(path.join(repositoryRoot, "node_modules"), path.join(root, "node_modules"));
    return new Plant(root);
  }

  /** Replaces `text`, which must be there once. */
  change(file: string, text: string, by: string): void {
    const full = path.join(this.root, file);
    const before = readFileSync(full, "utf8");
    if (before.split(text).length !== 2) {
      throw new Error(`${file} does not hold this once any more, mend the control: ${text}`);
    }
    writeFileSync(
      full,
      before.replace(text, () => by),
    );
  }

  /** Applies a file of `scripts/mutants/`. */
  mutate(patch: string): void {
    const file = path.join(repositoryRoot, "scripts/mutants", patch);
    const { status, stderr, stdout } = spawnSync("patch", ["-p1", "--forward", "-i", file], {
      cwd: this.root,
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${patch} does not apply any more: ${stdout}${stderr}`);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
