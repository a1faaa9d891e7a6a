/** The bounds of the live room. Beyond them a watch is refused with `overloaded`. */

export const maxWatchersPerNode = 100_000;
export const maxWatchersPerEntity = 10_000;
/** Watches of one link; a client multiplexes all of its watches on one link per node. */
export const maxWatchersPerLink = 1_024;
/** Different things watched of one entity: the whole state, fields, queries with their inputs. */
export const maxSelectionsPerEntity = 64;

/** Past versions kept per selection, for watchers that fell behind or come back. They share parts. */
export const historyLengthMax = 8;

/** How long a selection that nobody watches is kept, so that a reconnect costs a difference. */
export const lingerMs = 30_000;
/** Selections kept that nobody watches; the one that lingers longest goes first. */
export const maxLingering = 1_024;

/** Watchers of text get it at most this often (`state.md` §9): a typist changes it all the time. */
export const textIntervalMs = 100;
