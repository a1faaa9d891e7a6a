/**
 * Keeps retries after `overloaded` at a tenth of all calls: retries of an overloaded cluster are
 * load themselves, and unbounded ones keep it overloaded after the cause is gone.
 *
 * Source: token bucket of gRPC retry throttling (gRFC A6) and Finagle's `RetryBudget`.
 */

/** Share of a retry that every call earns. */
const retryShare = 0.1;
/** Retries that may be saved up; also what a fresh caller starts with. */
export const retryReserve = 10;
const reserveMax = 100;

export class RetryBudget {
  #tokens = retryReserve;

  /** Every first attempt of a call. */
  earn(): void {
    if (this.#tokens < reserveMax) this.#tokens += retryShare;
  }

  /** Takes one retry; false when none is left and the call is to fail instead. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
