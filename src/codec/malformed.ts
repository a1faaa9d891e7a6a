/**
 * Thrown when bytes do not hold what they should. It is private to decoding: whoever feeds a
 * `ByteReader` with bytes from outside catches it and turns it into a close code or a `LatticeError`.
 */
export class MalformedBytes extends Error {
  override readonly name = "MalformedBytes";
}
