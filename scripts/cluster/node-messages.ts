/** What a node process and the process that started it say to each other by IPC. */
import type { NodeEvent, NodeStatus } from "latticework/node";
import type { CopyReport, CopyWanted, PartitionReport } from "./copy-report.ts";
import type { LoadReport } from "./load-report.ts";
import type { MemberReport } from "./member-report.ts";

export type NodeQuestion =
  | { readonly type: "status" }
  /** What this process knows of its cluster. */
  | { readonly type: "members" }
  /** How this process stands in every partition that it knows. */
  | { readonly type: "partitions" }
  /** What this process itself holds of these entities, whoever leads them. */
  | { readonly type: "copies"; readonly of: readonly CopyWanted[] }
  /** Steps the wall clock of this process. */
  | { readonly type: "step-clock"; readonly byMs: number }
  /** How late its event loop ran since this was asked last, and its memory. */
  | { readonly type: "load" }
  /** What happened since this was asked last; the first time it begins to keep events. */
  | { readonly type: "events"; readonly of: readonly NodeEvent["type"][] };

export type NodeRequest = NodeQuestion & { readonly request: number };

export interface NodeAnswers {
  readonly status: NodeStatus;
  readonly members: readonly MemberReport[];
  readonly partitions: readonly PartitionReport[];
  readonly copies: readonly (CopyReport | undefined)[];
  readonly "step-clock": undefined;
  readonly load: LoadReport;
  readonly events: readonly NodeEvent[];
}

export type NodeReport =
  | { readonly type: "ready"; readonly id: string; readonly address: string }
  | { readonly type: "answer"; readonly request: number; readonly answer: unknown };
