/** A user's project around the packed package, in a folder of its own, for all tests of a file. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { copyPackedProject, makePackedProject, type PackedPackage } from "./packed-project.ts";

export interface ProjectOptions {
  /** Build, pack and install although that was done with the same sources. @default false */
  readonly anew?: boolean;
}

export class Project {
  readonly packed: PackedPackage;
  readonly folder: string;
  readonly #root: string;

  private constructor(root: string, packed: PackedPackage) {
    this.#root = root;
    this.packed = packed;
    this.folder = path.join(root, "user");
  }

  /** Builds, packs and installs, which takes ten seconds, unless these sources have been before. */
  static async create({ anew = false }: ProjectOptions = {}): Promise<Project> {
    const root = mkdtempSync(path.join(tmpdir(), "latticework-package-"));
    const packed = await (anew ? makePackedProject(root) : copyPackedProject(root));
    return new Project(root, packed);
  }

  /** A folder inside the project, made if need be, that holds `files`. */
  write(folder: string, files: Readonly<Record<string, string>>): string {
    const full = path.join(this.folder, folder);
    mkdirSync(full, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(full, name), text);
    return full;
  }

  /** A folder inside the project, made if need be, with copies of `files`. */
  copy(folder: string, files: readonly string[]): string {
    const full = path.join(this.folder, folder);
    mkdirSync(full, { recursive: true });
    for (const file of files) cpSync(file, path.join(full, path.basename(file)));
    return full;
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
