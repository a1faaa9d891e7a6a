/**
 * "When every promise job that is ready has run, and those they make ready": the simulator asks this
 * between two events, so that an async handler gets as far as it can before time moves on.
 *
 * There is no call that empties the microtask queue. Waiting for a macrotask does, at a microsecond
 * or more for a turn of the loop. But Node's tick queue is looked at whenever the microtask queue
 * has become empty, without a turn of the loop: a tick that is queued *by a microtask* therefore
 * runs after all promise jobs. It queues the next step as a microtask again, and so on; as a promise
 * job, for which Node keeps no record as it does for `queueMicrotask`. (See `processTicksAndRejections` in Node's `lib/internal/process/task_queues.js`.)
 *
 * Called from a macrotask or a microtask this is exact. Called from a tick it would run after the
 * jobs queued so far but not those that they queue, so loops start with `afterPoll`-like calls.
 */
export function afterMicrotasks(run: () => void): void {
  process.nextTick(queueJob, run);
}

const settled = Promise.resolve();

/** `run` must not throw. */
function queueJob(run: () => void): void {
  void settled.then(run);
}
