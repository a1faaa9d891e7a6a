/**
 * The wall clock of this process as an operator, or a time service gone wrong, might set it. It stands
 * in for the machine's: `Date.now` of the whole process shows another time, its log included. (Dates
 * made by `new Date()` do not, which no node reads.)
 */
const trueNow = Date.now;
let offMs = 0;

export function stepWallClock(byMs: number): void {
  offMs += byMs;
  Date.now = () => trueNow() + offMs;
}
