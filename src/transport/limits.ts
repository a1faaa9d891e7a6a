/** Limits and rhythms that all transports share, so that the simulated network breaks as the real one. */

/** Frames above it close the connection with 1009. */
export const maxFrameBytesDefault = 16 * 1024 * 1024;
export const dialTimeoutMsDefault = 5000;
/** More than this waiting when a frame is added: the peer does not read, the connection is dropped. */
export const maxBufferedBytesDefault = 8 * 1024 * 1024;
/** Bytes wait and none of them gets away for so long: dropped. */
export const stuckMsDefault = 10_000;
/** Nothing was heard for so long: a ping asks whether anybody is there. */
export const silentMsDefault = 15_000;
/** No answer to the ping for so long: dropped. */
export const pongTimeoutMsDefault = 10_000;
/** How long a close handshake may take. */
export const closeTimeoutMs = 3000;
/** Accepted sockets per node that have not finished the HTTP handshake; more are dropped. */
export const unfinishedHandshakeCountMax = 256;
/** How long the HTTP handshake may take. */
export const handshakeTimeoutMs = 5000;
/** Open connections per listener; more are answered 503. */
export const connectionCountMax = 10_000;
export const maxHeaderBytes = 8 * 1024;
/** A frame travels in one piece between our own ends; browsers may cut a large one up. */
export const fragmentCountMax = 1024;
/** One chunk is what one read of the socket gave: 512 bytes are less than any network's packet. */
export const chunkBytesMin = 512;
