/** One watch of one link: what it watches and which version it was sent last. */
import type { Selection } from "./selection.ts";

/** Chosen by the node; one per open connection. */
export type LinkId = number;

export interface Watcher {
  readonly link: LinkId;
  /** Chosen by the watching side, unique on its link. */
  readonly id: number;
  readonly selection: Selection;
  /** "" until the first message. */
  version: string;
}
