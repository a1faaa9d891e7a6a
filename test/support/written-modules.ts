/** Modules for `ctx.compute`, in a folder of their own: they have default exports, which nothing here has. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";

export class WrittenModules {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "latticework-modules-"));

  /** @param texts by the names of the modules */
  constructor(texts: Readonly<Record<string, string>>) {
    for (const [name, text] of Object.entries(texts)) {
      writeFileSync(path.join(this.#folder, `${name}.mjs`), text);
    }
  }

  /** Also of one that was not written. */
  url(name: string): string {
    return pathToFileURL(path.join(this.#folder, `${name}.mjs`)).href;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
