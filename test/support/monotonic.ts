/**
 * Milliseconds of the machine's monotonic clock, which all processes of one machine read alike: what
 * the driver of a proof does can be compared with what its load generator saw.
 */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
