/**
 * The 20,000 flights of `vega-datasets` (US domestic flights, BSD-3-Clause), read from the file in
 * that package: its exports map hides the file, and its own functions would download it.
 */
import { readFile } from "node:fs/promises";
import type { Flight } from "./functions.ts";

/** All records in the order of the file. Throws when the package is not installed. */
export async function readFlights(): Promise<readonly Flight[]> {
  const url = new URL("../data/flights-20k.json", import.meta.resolve("vega-datasets"));
  const records = JSON.parse(await readFile(url, "utf8")) as Omit<Flight, "number">[];
  return records.map((record, number) => ({ number, ...record }));
}
