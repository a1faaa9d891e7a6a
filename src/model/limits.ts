/**
 * Every bound of the system that a user or an operator can meet, in one place, so that "what is the
 * most I may send" has one answer. Bounds that only one room knows stay with that room. A flood of
 * anything must end in a refusal named after one of these, never in lost memory.
 */
export const limits = {
  /** UTF-8 bytes of a key. */
  keyBytesMax: 512,
  /** UTF-16 units of a function, handler or query name. */
  nameLengthMax: 128,
  /** UTF-16 units of a node id. */
  nodeIdLengthMax: 128,
  /** Values in one value, containers included; more would not fit the payload limits anyway. */
  valueNodesMax: 1_048_576,

  /** Encoded input of one call from a client. */
  clientPayloadBytesMax: 1024 * 1024,
  /** One frame, and so one message, between nodes. */
  nodeFrameBytesMax: 16 * 1024 * 1024,
  /** One message on a control channel: a larger one would hold up probes behind it. */
  controlMessageBytesMax: 16 * 1024,
  /** The only frame that is read before a connection has said who it is. */
  helloFrameBytesMax: 8 * 1024,
  /** From accepting a connection to its finished hand shake. */
  helloDeadlineMs: 5_000,
  /** Connections without a finished hand shake, per node and per remote address. */
  greetingConnectionsMax: 256,
  greetingConnectionsPerAddressMax: 16,
  /** Connections per node. */
  connectionsMax: 10_000,

  /** Calls in flight per connection, and per node. */
  callsPerConnectionMax: 1_024,
  callsPerNodeMax: 16_384,
  /** Calls waiting for one entity. */
  entityQueueMax: 1_000,
  /** Partitions that one answer in a session tells to have been seen; those of its own call first. */
  seenMarksMax: 256,
  /** Characters of a session's token: several times what one of 65,536 partitions takes. */
  tokenLengthMax: 1_048_576,
  /** Calls that ask calls that ask calls. */
  callDepthMax: 16,
  deadlineMsDefault: 30_000,
  deadlineMsMax: 300_000,

  /** Bytes waiting for a slow client: then its changes are replaced by one resync, then it is closed. */
  slowClientResyncBytes: 4 * 1024 * 1024,
  slowClientCloseBytes: 16 * 1024 * 1024,
  slowClientCloseMs: 10_000,

  /** Events that wait for one reader; beyond it the oldest goes, and is counted. */
  eventBacklogMax: 4_096,
  /** Readers of one node's events. */
  eventReadersMax: 64,

  /** Members in one membership message. */
  membersPerMessageMax: 512,
} as const;
