/**
 * Progress of long work: one line that is redrawn on a terminal, a plain line every two seconds
 * elsewhere. Colours only on a terminal without `NO_COLOR`.
 */
const barWidth = 28;
const plainIntervalMs = 2_000;
const drawIntervalMs = 100;

export class Progress {
  readonly #label: string;
  readonly #total: number;
  readonly #startedAt = performance.now();
  readonly #isTerminal = process.stdout.isTTY;
  #drawnAt = -Infinity;

  constructor(label: string, total: number) {
    this.#label = label;
    this.#total = total;
  }

  /** Shows how far it is; cheap when called for every step. */
  update(done: number, note = ""): void {
    const now = performance.now();
    const interval = this.#isTerminal ? drawIntervalMs : plainIntervalMs;
    if (now - this.#drawnAt < interval && done < this.#total) return;
    this.#drawnAt = now;
    const line = this.#line(done, now, note);
    if (this.#isTerminal) process.stdout.write(`\r\x1b[2K${line}`);
    else console.log(line);
  }

  /** Ends the line. */
  end(): void {
    if (this.#isTerminal) process.stdout.write("\n");
  }

  #line(done: number, now: number, note: string): string {
    const elapsedMs = Math.max(1, now - this.#startedAt);
    const rate = (done / elapsedMs) * 1_000;
    const remainingMs = rate === 0 ? 0 : ((this.#total - done) / rate) * 1_000;
    const filled = Math.round((done / this.#total) * barWidth);
    const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
    const percent = `${String(Math.floor((done / this.#total) * 100)).padStart(3)} %`;
    const eta = done === this.#total ? seconds(elapsedMs) : `${seconds(remainingMs)} left`;
    return `  ${this.#label} ${bar} ${percent}  ${String(Math.round(rate))}/s  ${eta}  ${note}`;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
