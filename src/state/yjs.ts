/**
 * The one door to Yjs. It is a peer dependency that only functions with documents need, so it is
 * loaded on demand; turns are synchronous, so it has to be loaded before the first of them. What is
 * remembered here is a module, which the module cache of the platform remembers anyway.
 */
import type * as Yjs from "yjs";
import { LatticeError } from "../model/error.ts";

let loaded: typeof Yjs | undefined;

/**
 * Loads Yjs; to be awaited before an entity with a `crdt.text()` field is used.
 *
 * @throws LatticeError `failed_precondition` when the package is not installed
 */
export function loadYjs(): Promise<void> {
  return import("yjs").then(
    (module) => {
      loaded = module;
    },
    (cause: unknown) => {
      const advice = "run `npm install yjs@13`";
      const message = `functions with crdt.text() need the package yjs: ${advice}`;
      throw new LatticeError("failed_precondition", message, { cause });
    },
  );
}

/** Yjs, once it is loaded; owners that only keep bytes may do without. */
export function loadedYjs(): typeof Yjs | undefined {
  return loaded;
}

/** @throws LatticeError `failed_precondition` before `loadYjs` */
export function requireYjs(): typeof Yjs {
  if (loaded === undefined) {
    throw new LatticeError(
      "failed_precondition",
      "documents are used before Yjs is loaded: install yjs@13 and await loadYjs() first",
    );
  }
  return loaded;
}
