/**
 * What a session has seen, as text that can be passed on, of characters that stay as they are in URLs,
 * headers and cookies (RFC 3986, "unreserved"):
 *
 *     1 . partition count . process ~ process … . mark ~ mark …       mark: partition-process-term-position
 *
 * Numbers are to base 36, partitions as the distance from the one before, processes by their place and as
 * base64url. About eight characters a partition. It is small code too: browsers load it with the client.
 */
import { LatticeError } from "../model/error.ts";
import type { PartitionId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import type { Mark } from "../model/mark.ts";

export interface SessionToken {
  /** Of the cluster that it is of. */
  readonly partitionCount: number;
  readonly marks: ReadonlyMap<PartitionId, Mark>;
}

const version = "1";
const base = 36;

export function writeToken({ partitionCount, marks }: SessionToken): string {
  const processes: string[] = [];
  let before = 0;
  const written = [...marks]
    .sort(([a], [b]) => a - b)
    .map(([partition, { term, position }]) => {
      let place = processes.indexOf(term.process);
      if (place < 0) place = processes.push(term.process) - 1;
      const numbers = [partition - before, place, term.number, position];
      before = partition;
      return numbers.map((number) => number.toString(base)).join("-");
    });
  const names = processes.map(toText).join("~");
  return [version, partitionCount.toString(base), names, written.join("~")].join(".");
}

/** @throws LatticeError `invalid_argument` for what is no token of this version. */
export function readToken(text: string): SessionToken {
  const marks = new Map<PartitionId, Mark>();
  try {
    const [first, count = "", names = "", written = "", ...rest] = text.split(".");
    demand(first === version && rest.length === 0 && text.length <= limits.tokenLengthMax);
    const partitionCount = toNumber(count);
    const processes = partsOf(names).map(fromText);
    let partition = 0;
    for (const mark of partsOf(written)) {
      const [distance, place, number, position, ...more] = mark.split("-").map(toNumber);
      const process = processes[place ?? -1];
      demand(process !== undefined && position !== undefined && more.length === 0);
      partition += distance!;
      demand(partition < partitionCount);
      marks.set(partition, { term: { number: number!, process: process! }, position: position! });
    }
    return { partitionCount, marks };
  } catch (cause) {
    const message = "this is not the token of a session: give what client.token() returned";
    throw new LatticeError("invalid_argument", message, { cause });
  }
}

function demand(holds: boolean): void {
  if (!holds) throw new Error("it is damaged");
}

function partsOf(text: string): string[] {
  return text === "" ? [] : text.split("~");
}

function toNumber(text: string): number {
  const number = parseInt(text, base);
  demand(number.toString(base) === text && Number.isSafeInteger(number));
  return number;
}

/** `btoa` and `atob` are there in browsers and in Node.js alike. */
function toText(name: string): string {
  return btoa(encodeURIComponent(name))
    .replaceAll("=", "")
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

function fromText(text: string): string {
  return decodeURIComponent(atob(text.replaceAll("-", "+").replaceAll("_", "/")));
}
