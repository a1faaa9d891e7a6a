/** What pure rooms return when there is nothing to do; shared so that the hot path allocates none. */
export const noEffects: readonly never[] = Object.freeze([]);
