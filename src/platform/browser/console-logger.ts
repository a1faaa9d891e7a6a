/** Logs of a client in a browser: the console, below the level silent. */
import type { Logger, LogLevel } from "../platform.ts";

const ranks: Readonly<Record<LogLevel | "silent", number>> = {
  debug: 0,
  info: 1,
  warn: 2,
  error: 3,
  silent: 4,
};

export function consoleLogger(
  level: LogLevel | "silent" = "warn",
  bound: Readonly<Record<string, unknown>> = {},
): Logger {
  const write = (line: LogLevel) => {
    return (message: string, fields?: Readonly<Record<string, unknown>>) => {
      if (ranks[line] >= ranks[level])
        console[line](`latticework: ${message}`, { ...bound, ...fields });
    };
  };
  return {
    level,
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => consoleLogger(level, { ...bound, ...fields }),
  };
}
