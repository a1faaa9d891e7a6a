/** What a node process and the process that started it say to each other by IPC. */
import type { NodeStatus } from "latticework/node";
import type { CopyReport, CopyWanted, PartitionReport } from "./copy-report.ts";
import type { ClockSkew } from "./stepped-clock.ts";
import type { MemberReport } from "./member-report.ts";

export type NodeQuestion =
  | { readonly type: "status" }
  /** What this process knows of its cluster. */
  | { readonly type: "members" }
  /** How this process stands in every partition that it knows. */
  | { readonly type: "partitions" }
  /** What this process itself holds of these entities, whoever leads them. */
  | { readonly type: "copies"; readonly of: readonly CopyWanted[] }
  /** Steps the wall clock of this process, and listens from the first time on to what is told of clocks. */
  | { readonly type: "step-clock"; readonly byMs: number }
  /** What was told of clocks since then. */
  | { readonly type: "clock-skews" };

export type NodeRequest = NodeQuestion & { readonly request: number };

export interface NodeAnswers {
  readonly status: NodeStatus;
  readonly members: readonly MemberReport[];
  readonly partitions: readonly PartitionReport[];
  readonly copies: readonly (CopyReport | undefined)[];
  readonly "step-clock": readonly ClockSkew[];
  readonly "clock-skews": readonly ClockSkew[];
}

export type NodeReport =
  | { readonly type: "ready"; readonly id: string; readonly address: string }
  | { readonly type: "answer"; readonly request: number; readonly answer: unknown };
