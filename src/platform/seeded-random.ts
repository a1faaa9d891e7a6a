/**
 * A small, fast, repeatable source of chance: sfc32 ("small fast counter", Chris Doty-Humphrey,
 * PractRand 0.94; passes its full battery, period at least 2^32, about 2^127 on average), its 128
 * bits of state filled from the seed by splitmix32 (the 32-bit finaliser of MurmurHash3 over a Weyl
 * sequence, after Steele, Lea and Flood, OOPSLA 2014). It is not for secrets.
 *
 * The simulator seeds it with the number that names a run; the real platforms seed it from the
 * operating system, because a draw from `crypto` costs twenty times as much as one from here.
 */
import type { Random } from "../model/random.ts";

const two32 = 0x1_0000_0000;
const goldenGamma = 0x9e3779b9;
/** Draws thrown away so that seeds which differ in one bit have nothing in common. */
const warmUpCount = 12;

/** Four words of initial state. */
export type RandomState = readonly [number, number, number, number];

/** The same seed and label give the same draws for ever; labels give independent streams of one seed. */
export function seededRandom(seed: number, label = ""): Random {
  let word = mix((seed | 0) + mix(Math.floor(seed / two32) + goldenGamma));
  for (let i = 0; i < label.length; i++) {
    word = mix(word + goldenGamma + label.charCodeAt(i));
  }
  const next = (): number => mix((word = (word + goldenGamma) | 0));
  return randomFrom([next(), next(), next(), next()]);
}

/** Uniform in [0, 1) with 53 bits. */
export function randomFrom(state: RandomState): Random {
  let [a, b, c, counter] = state;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < warmUpCount; i++) next();
  return () => ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 0x20_0000_0000_0000;
}

function mix(value: number): number {
  let word = value | 0;
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
  return (word ^ (word >>> 16)) | 0;
}
