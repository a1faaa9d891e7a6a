/**
 * A copy of this checkout with a fault in it, for controls: sources and tools are copied, and
 * packages are links. Nothing of it reaches the checkout itself.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
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

  /** Blocks for a tenth of a second: without waiting, the copy costs an eighth. */
  static create(): Plant {
    const root = mkdtempSync(path.join(tmpdir(), "latticework-plant-"));
    for (const name of copied) {
      cpSync(path.join(repositoryRoot, name), path.join(root, name), { recursive: true });
    }
    linkModules(path.join(repositoryRoot, "node_modules"), path.join(root, "node_modules"));
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

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Each package is a link; caches are not shared, or what is made of the fault would stay. */
function linkModules(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name !== ".cache") symlinkSync(path.join(from, name), path.join(to, name));
  }
}
