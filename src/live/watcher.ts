/** One watch of one link, as what it watches knows it: where it goes and what it was sent last. */

/** Chosen by the node; one per open connection. */
export type LinkId = number;

export interface Watcher {
  readonly link: LinkId;
  /** Chosen by the watching side, unique on its link. */
  readonly id: number;
  /** "" until the first message. */
  version: string;
}
