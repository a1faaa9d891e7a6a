/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";

export interface BenchArguments {
  /** Empty: all. */
  readonly names: readonly string[];
  readonly smoke: boolean;
  readonly help: boolean;
  readonly repetitions: number;
  /** Of each measurement. */
  readonly measureMs: number;
  readonly jsonFile: string | undefined;
  readonly htmlFile: string | undefined;
  readonly profileFolder: string | undefined;
}

const repetitionsDefault = 5;
const repetitionsMax = 100;
const measureMsDefault = 500;
const smokeRepetitions = 9;
const smokeMeasureMs = 250;

export const usage = `npm run bench -- [bench …] [options]

Measures the product beside reference programs in one interleaved run. Without a name all benches run.

  --smoke            the small size: W1 at c = 1 and 256, at most 30 s
  --repetitions N    interleaved repetitions of every measurement (${String(repetitionsDefault)})
  --ms N             length of one measurement in milliseconds (${String(measureMsDefault)})
  --json FILE        writes everything that was measured as JSON
  --html FILE        writes a page with charts
  --profile FOLDER   every measured process writes a profile of its processor time there
  --help             prints this
`;

/** @throws Error that says what is wrong with the arguments */
export function parseBenchArguments(
  args: readonly string[],
  known: readonly string[],
): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      smoke: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      repetitions: { type: "string" },
      ms: { type: "string" },
      json: { type: "string" },
      html: { type: "string" },
      profile: { type: "string" },
    },
  });
  const unknown = positionals.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no bench is called ${unknown.join(", ")}; there are ${known.join(", ")}`);
  }
  const { smoke } = values;
  return {
    names: positionals,
    smoke,
    help: values.help,
    repetitions: count(
      "--repetitions",
      values.repetitions,
      smoke ? smokeRepetitions : repetitionsDefault,
      repetitionsMax,
    ),
    measureMs: count("--ms", values.ms, smoke ? smokeMeasureMs : measureMsDefault, 60_000),
    jsonFile: values.json,
    htmlFile: values.html,
    profileFolder: values.profile,
  };
}

function count(option: string, text: string | undefined, preset: number, most: number): number {
  if (text === undefined) return preset;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new Error(`${option} takes a whole number, 1 … ${String(most)}`);
}
