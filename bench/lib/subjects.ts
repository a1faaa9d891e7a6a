/** Every subject by its name; loaded only in the processes that run it. */
import type { Subject } from "./subject.ts";

/** Server processes of each; 0 for what runs inside the load generator. */
export const serverCounts = {
  "raw-echo": 1,
  "batched-counter": 1,
  relay: 3,
  "in-process": 0,
  latticework: 1,
  "latticework-replicated": 3,
  "latticework-in-process": 0,
} as const;

export type SubjectName = keyof typeof serverCounts;

const loaders: Record<SubjectName, () => Promise<Subject>> = {
  "raw-echo": async () => (await import("../reference/raw-echo.ts")).rawEcho,
  "batched-counter": async () => (await import("../reference/batched-counter.ts")).batchedCounter,
  relay: async () => (await import("../reference/relay.ts")).relay,
  "in-process": async () => (await import("../reference/in-process.ts")).inProcess,
  latticework: async () => (await import("../cluster/latticework.ts")).singleNode,
  "latticework-replicated": async () => (await import("../cluster/latticework.ts")).threeNodes,
  "latticework-in-process": async () => (await import("../cluster/latticework.ts")).inOneProcess,
};

export function loadSubject(name: SubjectName): Promise<Subject> {
  return loaders[name]();
}
