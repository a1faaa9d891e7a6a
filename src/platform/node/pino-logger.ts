/**
 * Logs of a real node: JSON lines on stderr by pino. They are written synchronously, so that the
 * lines which explain a death are there after it; nothing on the path of a call logs above `debug`,
 * so the price is not paid there.
 *
 * What must not be read in a log (secrets, tokens, arguments, state) is blanked by the name of its
 * field, at the top and inside the next two levels.
 */
import { destination, pino, stdSerializers } from "pino";
import type { DestinationStream, Logger as Pino } from "pino";
import type { Logger, LogLevel } from "../platform.ts";

const stderrDescriptor = 2;

const secretFields = [
  "secret",
  "secrets",
  "token",
  "password",
  "authorization",
  "cookie",
  "tls",
  "arguments",
  "input",
  "state",
  "data",
];

export interface PinoLoggerOptions {
  /** @default "info" */
  readonly level?: LogLevel | "silent";
  /** Where lines go, for tests. @default stderr, written synchronously */
  readonly stream?: DestinationStream;
}

export function pinoLogger(options: PinoLoggerOptions = {}): Logger {
  const stream = options.stream ?? destination({ fd: stderrDescriptor, sync: true });
  const root = pino(
    {
      level: options.level ?? "info",
      base: null,
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: "[redacted]",
      },
      serializers: {
        error: stdSerializers.errWithCause,
        cause: stdSerializers.errWithCause,
      },
    },
    stream,
  );
  return wrap(root);
}

function wrap(root: Pino): Logger {
  return {
    level: root.level as Logger["level"],
    debug: (message, fields) => {
      root.debug(fields, message);
    },
    info: (message, fields) => {
      root.info(fields, message);
    },
    warn: (message, fields) => {
      root.warn(fields, message);
    },
    error: (message, fields) => {
      root.error(fields, message);
    },
    child: (fields) => wrap(root.child(fields)),
  };
}
