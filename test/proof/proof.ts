/** What a proof is: one line of an issue's "It must show", tried against the real thing. */

export interface ProofOptions {
  /** Plant the fault that the proof names: it must then fall short. */
  readonly control: boolean;
  /** Short, for `npm test`. */
  readonly smoke: boolean;
  /** How often in a row, for proofs that say so. */
  readonly runs: number;
  /** Says how far it is. */
  readonly say: (text: string) => void;
}

/** One measured figure beside what was promised. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  /** As text, for example "0" or "≤ 2000 ms". */
  readonly target: string;
  readonly holds: boolean;
}

export interface Verdict {
  readonly figures: readonly Figure[];
  /** Raw counts that were judged, in the order in which they are printed. */
  readonly counts: Readonly<Record<string, number | string>>;
  /** Set when what the proof is about did not happen: then it proves nothing, whatever it counted. */
  readonly provedNothing?: string | undefined;
  /** Files kept outside the system, by which it was judged. */
  readonly records: readonly string[];
}

export interface Proof {
  /** The fault that `--control` plants. */
  readonly control: string;
  run(options: ProofOptions): Promise<Verdict>;
}

/** What a verdict comes to. */
export function resultOf({ figures, provedNothing }: Verdict): "holds" | "falls short" | "nothing" {
  if (provedNothing !== undefined) return "nothing";
  const holds = figures.length > 0 && figures.every((figure) => figure.holds);
  return holds ? "holds" : "falls short";
}

/** A count that must be zero. */
export function none(name: string, value: number): Figure {
  return { name, value, target: "0", holds: value === 0 };
}

/** A measurement that must not exceed its target. */
export function atMost(name: string, value: number, target: number, unit = ""): Figure {
  const shown = unit === "" ? value : `${value.toFixed(0)} ${unit}`;
  return { name, value: shown, target: `≤ ${target} ${unit}`.trim(), holds: value <= target };
}

/** A measurement that must reach its target. */
export function atLeast(name: string, value: number, target: number): Figure {
  return { name, value, target: `≥ ${target}`, holds: value >= target };
}

/** Something that must be exactly so. */
export function exactly(name: string, value: number | string, target: number | string): Figure {
  return { name, value, target: String(target), holds: value === target };
}
