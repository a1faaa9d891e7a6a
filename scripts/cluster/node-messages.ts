/** What a node process and the process that started it say to each other by IPC. */
import type { NodeStatus } from "latticework/node";

export interface NodeRequest {
  readonly type: "status";
  readonly request: number;
}

export type NodeReport =
  | { readonly type: "ready"; readonly id: string; readonly address: string }
  | { readonly type: "status"; readonly request: number; readonly status: NodeStatus };
