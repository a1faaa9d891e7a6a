/**
 * Times, writer ids and digests are whole numbers of up to 53 bits. V8 keeps such a number in an
 * object of its own beside the one whose field it is: 24 bytes, and with many entities one more
 * fetch from memory. What every entity has is therefore kept as two halves, which are small enough
 * to lie in the object itself.
 */
const lowRange = 2 ** 32;

/** The upper 21 bits. */
export function highHalf(value: number): number {
  return (value / lowRange) | 0;
}

/** The lower 32 bits, as a signed number: these are the small ones of V8. */
export function lowHalf(value: number): number {
  return value | 0;
}

export function joinHalves(high: number, low: number): number {
  return high * lowRange + (low >>> 0);
}
