/**
 * Adds runs up, and says what they have not exercised: a fault that hardly any run met proves
 * nothing about itself.
 */
import { invariants, type InvariantName } from "../../src/testing/simulation/invariants.ts";
import { faultKinds } from "../../src/testing/simulation/scenario.ts";
import type { SeedOutcome } from "./seed-outcome.ts";

interface Total {
  sum: number;
  /** Seeds that met it. */
  seeds: number;
}

/** What the cluster has to have done in a share of the runs. */
const mechanisms = [
  "takeovers",
  "owner changes",
  "dedupe hits",
  "asks that let go",
  "degraded replies",
  "retried calls",
  "forwards",
  "outbox deliveries",
  "outbox redeliveries",
  "timers fired",
  "fork commits merged",
  "tombstones reaped",
  "entities with retired writers",
  "rests after restarts",
  "clocks told to be wrong",
];
const outcomes = ["ok", "ok, degraded", "failed_precondition", "indeterminate, may have run"];
const shareMin = 0.01;
/** Below it a share of one in a hundred means nothing. */
const judgedSeedsMin = 200;

export class Totals {
  readonly #faults = new Map<string, Total>();
  readonly #calls = new Map<string, Total>();
  readonly #mechanisms = new Map<string, Total>();
  readonly #checks = new Map<string, Total>();
  readonly #cpuMs: number[] = [];
  readonly failed: SeedOutcome[] = [];
  seedCount = 0;
  countingCount = 0;
  #events = 0;
  #virtualMs = 0;

  add(outcome: SeedOutcome): void {
    const { report } = outcome;
    this.seedCount += 1;
    if (report.counts) this.countingCount += 1;
    this.#events += report.events;
    this.#virtualMs += report.virtualMs;
    this.#cpuMs.push(outcome.cpuMs);
    addAll(this.#faults, report.faults);
    addAll(this.#calls, report.calls);
    addAll(this.#mechanisms, report.mechanisms);
    addAll(this.#checks, report.checks);
    if (outcome.violations.length > 0 || outcome.problem !== undefined) this.failed.push(outcome);
  }

  /** What the build has and less than one run in a hundred met. */
  notExercised(): string[] {
    if (this.seedCount < judgedSeedsMin) return [];
    const least = this.seedCount * shareMin;
    const rare = (totals: ReadonlyMap<string, Total>, names: readonly string[]): string[] =>
      names.filter((name) => (totals.get(name)?.seeds ?? 0) < least);
    return [
      ...rare(this.#faults, faultKinds).map((name) => `fault ${name}`),
      ...rare(this.#mechanisms, mechanisms),
      ...rare(this.#calls, outcomes).map((name) => `calls answered ${name}`),
      ...rare(this.#checks, Object.keys(invariants)).map((name) => `invariant ${name}`),
    ];
  }

  lines(): string[] {
    const cpu = [...this.#cpuMs].sort((a, b) => a - b);
    const median = cpu[Math.floor(cpu.length / 2)] ?? 0;
    const hours = (this.#virtualMs / 3_600_000).toFixed(1);
    return [
      `${count(this.seedCount)} seeds, ${count(this.countingCount)} of them count; ` +
        `${hours} virtual hours, ${count(this.#events)} events, median ${median.toFixed(0)} ms of CPU`,
      ...table("calls (sum, in seeds)", this.#calls),
      ...table("faults", this.#faults),
      ...table("mechanisms", this.#mechanisms),
      ...table("invariants checked", this.#checks, (name) => invariants[name as InvariantName]),
    ];
  }
}

function addAll(totals: Map<string, Total>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) {
    if (count === 0) continue;
    const total = totals.get(name);
    if (total === undefined) totals.set(name, { sum: count, seeds: 1 });
    else {
      total.sum += count;
      total.seeds += 1;
    }
  }
}

function table(
  title: string,
  totals: ReadonlyMap<string, Total>,
  explain: (name: string) => string = () => "",
): string[] {
  const rows = [...totals].sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    `  ${title}`,
    ...rows.map(([name, { sum, seeds }]) =>
      `    ${name.padEnd(32)} ${count(sum).padStart(12)} ${count(seeds).padStart(8)}  ${explain(name)}`.trimEnd(),
    ),
  ];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
