/** The table that `npm run mutants` ends with. */
import type { Mutant } from "./apply-mutant.ts";
import type { Catch } from "./hunt.ts";

export interface Row {
  readonly mutant: Mutant;
  /** One for each start that found it. */
  readonly caught: readonly Catch[];
  /** Why it does not count as caught. */
  readonly failure: string | undefined;
}

const header = ["mutant", "rule", "invariant", "seed", "seeds tried"];

/** Mutant, rule of the replication protocol, invariant that failed, first seed, seeds needed. */
export function tableOf(rows: readonly Row[], starts: number): string {
  const lines = [header, ...rows.map((row) => cellsOf(row, starts))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cellsOf({ mutant, caught, failure }: Row, starts: number): string[] {
  const rule = /\brules? ([\d]+(?:[–, and]+\d+)*)/.exec(mutant.text)?.[1] ?? "–";
  if (failure !== undefined) return [mutant.name, rule, "–", "–", failure.split("\n")[0]!];
  const [first] = caught;
  const counts = caught.map(({ seedCount }) => seedCount).sort((a, b) => a - b);
  // Starts that did not find it are above all others.
  const median = counts[Math.floor((starts - 1) / 2)] ?? counts.at(-1) ?? 0;
  const all = [...counts, ...Array.from({ length: starts - counts.length }, () => "–")];
  return [
    mutant.name,
    rule,
    first?.invariant ?? "",
    String(first?.seed),
    `${String(median)} (${all.join(" ")})`,
  ];
}
