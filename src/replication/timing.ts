/** Times of the protocol, in milliseconds. No safety rule depends on any of them. */
export const timing = {
  /** Without a majority for so long, a process with a copy serves degraded (rule 15). */
  takeoverWaitMs: 500,
  /** A candidate gives up after this, up to twice as long by chance, and asks again. */
  attemptMs: 500,
  /**
   * A refused candidate asks again after this, up to twice as long by chance, and after each further
   * refusal half as long again: owners notice a crash some milliseconds apart.
   */
  refusedMs: 20,
  /**
   * After so many refusals in a row, a fifth of a second at least, the primary lives for whoever refuses
   * and only this process does not reach it.
   */
  refusalsOfLiving: 4,
  /** Each attempt lasts longer than the one before, up to so many times `attemptMs`. */
  attemptGrowthMax: 8,
  /** Each reachable owner that comes first in table order is given so long before one tries oneself. */
  rankDelayMs: 1000,
  /**
   * The table's first owner gets the role back no sooner than this after it joined, and who gave the
   * role away no sooner than this after it did.
   */
  homeAfterMs: 30_000,
  /** An empty one so long after a reign began: while tables differ it would be passed to and fro. */
  homeEmptyAfterMs: 250,
  /** A handover that has not happened by then is given up (rule 11); twice: draining and asking. */
  handoverWaitMs: 500,
  /** A failed handover is tried again after this; a leaving node after a tenth. */
  handoverRetryMs: 5000,
  /** A removed process keeps its data so long after all owners have the current position (rule 14). */
  retentionMs: 60_000,
  /** A removed process that nobody dismisses asks after this, twice as long each time, as below. */
  dismissalMs: 1000,
  /** A peer that acknowledges nothing for so long gets a base. */
  resyncMs: 1000,
  /** Each repetition waits twice as long, up to so many times `resyncMs`. */
  resyncGrowthMax: 16,
  /** An unmerged fork is sent again after this. */
  forkRetryMs: 1000,
  /** Followers that cannot know by themselves are told so long after a position was committed. */
  tellCommittedMs: 20,
} as const;

/** Bounds of what one partition keeps; beyond them it refuses work rather than forgetting. */
export const limits = {
  /** Unacknowledged bytes towards one peer; beyond them it gets a base when it has caught up. */
  windowBytes: 4 * 1024 * 1024,
  /** Commits that are not known to be committed. */
  tailCommits: 65_536,
  forkCommits: 10_000,
  forkBytes: 16 * 1024 * 1024,
  /** Of one `forked` message. */
  forkChunkCommits: 256,
  forkChunkBytes: 1024 * 1024,
  /** Entities that keep a second form for uncommitted state while they are idle. */
  idleTips: 1024,
  /** Entities that were opened and have no commit yet. */
  nascent: 1024,
  /** Parts by name whose contents are compared one in a round: all of them in 16 minutes. */
  contentShares: 64,
  /** Deleted entities that one partition forgets at once. */
  reaped: 256,
  /** Owner sets whose replacement is not committed yet; the wire carries as many. */
  previousOwners: 8,
  /** Streams that a partial image can build upon. */
  lineage: 4,
} as const;
