/** Waits for a condition that another process brings about, by asking for it. */
import { setTimeout as pause } from "node:timers/promises";

const pollMs = 100;

/** Resolves when `holds` does; rejects after `timeoutMs` naming what was waited for. */
export async function until(
  what: string,
  timeoutMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineAt = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadlineAt) {
      throw new Error(`not within ${String(timeoutMs)} ms: ${what}`);
    }
    await pause(pollMs);
  }
}
