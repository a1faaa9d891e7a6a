/** What the loggers of simulated nodes keep, for the judges: defects, and who was declared dead. */
import type { NodeId } from "../../model/ids.ts";
import type { Logger } from "../../platform/platform.ts";
import { silentLogger } from "../../platform/silent-logger.ts";
import type { Verdict } from "./verdict-watch.ts";

export interface LoggedRecords {
  /** What a node reports as an error is a defect of it. */
  readonly defects: string[];
  readonly verdicts: Verdict[];
}

/** @param now virtual time */
export function recordingLogger(
  node: NodeId,
  { defects, verdicts }: LoggedRecords,
  now: () => number,
): Logger {
  const logger: Logger = {
    ...silentLogger,
    info: (message, fields) => {
      if (message !== "members: dead") return;
      verdicts.push({ by: node, about: (fields?.["nodes"] ?? []) as NodeId[], at: now() });
    },
    error: (message, fields) => {
      if (message.startsWith("refused a second node")) return;
      defects.push(`${node}: ${message} ${JSON.stringify(fields ?? {})}`.slice(0, 300));
    },
    child: () => logger,
  };
  return logger;
}
