/**
 * The record that a load generator keeps outside the system: one line of JSON per call, written when
 * the call has ended. Proofs are judged by it, in another process than the one that wrote it.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface CallRecord {
  /** Names the call; what it wrote can be found in the state under this name. */
  readonly call: string;
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  readonly input: unknown;
  /** Who called: a side of a split, a phase of a run. */
  readonly from: string;
  /** Milliseconds since the start of the run. */
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly answer:
    | {
        readonly type: "ok";
        readonly degraded: boolean;
        readonly copies: number;
        readonly hops: number;
        readonly node: string;
      }
    | { readonly type: "failed"; readonly code: string; readonly indeterminate: boolean };
}

export class RecordFile {
  readonly file: string;
  readonly #stream: WriteStream;

  private constructor(file: string) {
    this.file = file;
    this.#stream = createWriteStream(file);
  }

  /** In a new folder of the system's folder for temporary files. */
  static async create(name: string): Promise<RecordFile> {
    const folder = await mkdtemp(path.join(tmpdir(), `latticework-${name}-`));
    return new RecordFile(path.join(folder, "calls.jsonl"));
  }

  add(record: CallRecord): void {
    this.#stream.write(`${JSON.stringify(record)}\n`);
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.once("error", reject);
      this.#stream.end(() => {
        resolve();
      });
    });
  }
}

export async function readRecords(file: string): Promise<CallRecord[]> {
  const text = await readFile(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as CallRecord);
}
