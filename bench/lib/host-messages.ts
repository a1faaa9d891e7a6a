/** What a process of a bench and the one that started it say to each other by IPC. */
import type { SubjectName } from "./subjects.ts";
import type { Load, LoadResult, Timing } from "./load.ts";

export interface HostArguments {
  readonly role: "server" | "client";
  readonly subject: SubjectName;
  /** Servers that run already; for a client all of them. */
  readonly addresses: readonly string[];
}

export type HostRequest =
  | { readonly type: "processor-time" }
  | { readonly type: "run"; readonly load: Load; readonly timing: Timing }
  | { readonly type: "end" };

export type HostReport =
  /** `address` is "" for a client. */
  | { readonly type: "ready"; readonly address: string }
  /** Used by this process so far, microseconds. */
  | { readonly type: "processor-time"; readonly us: number }
  | { readonly type: "result"; readonly result: LoadResult };
