/** A logger that says nothing: for tests, benches, and whoever configured `silent`. */
import type { Logger } from "./platform.ts";

function nothing(): void {
  // Silence is the purpose.
}

export const silentLogger: Logger = Object.freeze({
  level: "silent" as const,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
});
