/**
 * Why a connection was closed, as WebSocket close codes. Below 4000 they are those of RFC 6455; ours
 * follow HTTP's numbers where there is one, so that a code can be read without a table.
 */
export const closeCodes = {
  normal: 1000,
  /** This node leaves or restarts: go to another one. */
  goingAway: 1001,
  /** Too slow in reading; come back later. */
  tryLater: 1013,
  /** Bytes that are no frame, or a message that its sender may not send here. */
  malformed: 4400,
  unauthenticated: 4401,
  permissionDenied: 4403,
  /** No protocol version in common. */
  protocol: 4406,
  /** The hand shake was not followed, or took too long. */
  handshake: 4408,
  /** Refused; the `refused` message before it says why. */
  refused: 4412,
  /** A frame or message above the limit of its link. */
  tooLarge: 4413,
  overloaded: 4429,
} as const;

/** What the receiver of a bad frame should do with its connection. `reason` has ≤ 123 bytes. */
export interface CloseAdvice {
  readonly code: number;
  readonly reason: string;
}
