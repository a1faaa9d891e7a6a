/** Ids of traces from a source of chance of their own, real or simulated: none of them is a secret. */
import type { Random } from "../model/random.ts";
import type { TraceIds } from "./platform.ts";

const digitsPerDraw = 8;

export function traceIdsFrom(random: Random): TraceIds {
  const draw = (): string =>
    Math.floor(random() * 16 ** digitsPerDraw)
      .toString(16)
      .padStart(digitsPerDraw, "0");
  return {
    hex(digits) {
      let id = "";
      while (id.length < digits) id += draw();
      return id;
    },
  };
}
