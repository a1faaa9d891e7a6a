/** What the error codes of the operating system and of `ws` say about how a connection ended. */
import { LatticeError } from "../../model/error.ts";
import { portInUse } from "../binding.ts";
import { abnormalCode, tooLargeCode } from "../close-code.ts";
import type { CloseReason } from "../transport.ts";

/** How a connection ended, as its `close` handler will be told. */
export interface Ending {
  readonly code: number;
  readonly reason: CloseReason;
}

export function ending(type: CloseReason["type"], message: string, code = abnormalCode): Ending {
  return { code, reason: { type, message } };
}

/** Somebody was there and hung up before the connection was open. */
const hungUpCodes: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ECONNABORTED"]);

/** Why a dial failed. Refused only if every address that was tried refused: that is hard evidence. */
export function dialFailure(address: string, error: Error): Ending {
  const codes = errorCodes(error);
  if (codes.length > 0 && codes.every((code) => code === "ECONNREFUSED")) {
    return ending("refused", `${address}: connection refused, nobody listens there`);
  }
  const type = codes.some((code) => hungUpCodes.has(code)) ? "lost" : "unreachable";
  return ending(type, `${address}: ${codes.join(", ") || error.message}`);
}

const messageTooLarge: ReadonlySet<string> = new Set([
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
]);

/** Why an open connection broke. What the peer did wrong is answered by `ws` with a close frame. */
export function connectionFailure(error: Error): Ending {
  const [code = ""] = errorCodes(error);
  if (messageTooLarge.has(code)) {
    return ending("closed", "the peer sent a frame above the limit", tooLargeCode);
  }
  if (code === "WS_ERR_TOO_MANY_BUFFERED_PARTS") {
    return ending("closed", "the peer sent a frame in too many pieces", 1008);
  }
  if (code.startsWith("WS_ERR_")) {
    return ending("closed", `the peer does not speak WebSocket: ${error.message}`, 1002);
  }
  return ending("lost", code || error.message);
}

/** The error of a listener that could not bind, said so that the reader knows what to do. */
export function listenFailure(host: string, port: number, error: Error): LatticeError {
  const [code = ""] = errorCodes(error);
  const where = `port ${String(port)} on ${host}`;
  const details = { cause: error };
  switch (code) {
    case "EADDRINUSE":
      return portInUse(host, port, error);
    case "EACCES":
      return new LatticeError(
        "permission_denied",
        `${where} needs privileges that this process lacks: choose one above 1023 with --port`,
        details,
      );
    case "EADDRNOTAVAIL":
      return new LatticeError(
        "failed_precondition",
        `${host} is not an address of this machine: listen on 127.0.0.1`,
        details,
      );
    default:
      return new LatticeError(
        "failed_precondition",
        `cannot listen on ${where}: ${error.message}`,
        details,
      );
  }
}

/** All system codes of an error: dialling a name tries each of its addresses. */
function errorCodes(error: Error): readonly string[] {
  if (error instanceof AggregateError) {
    return error.errors.flatMap((each) => (each instanceof Error ? errorCodes(each) : []));
  }
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? [] : [code];
}
