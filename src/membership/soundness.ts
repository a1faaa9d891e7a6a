/**
 * What a statement must look like to be believed. The wire checks the types; these are the bounds
 * that keep one bad sender from filling the tables of all.
 */
import { limits } from "../model/limits.ts";
import type { MemberUpdate } from "../wire/membership-messages.ts";
import { refutationsMax } from "./precedence.ts";

const nodeIdCharsMax = limits.nodeIdLengthMax;
const addressCharsMax = 512;
const zoneCharsMax = 128;
const weightMin = 0.1;
const weightMax = 1000;

/** More restarts in a row are not counted. */
export const restartsMax = 15;

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function isText(text: string, charsMin: number, charsMax: number): boolean {
  return text.length >= charsMin && text.length <= charsMax;
}

/** Whether id, numbers and texts are within their bounds. */
export function isSound(statement: Omit<MemberUpdate, "status" | "leaving" | "resting">): boolean {
  return (
    isText(statement.node, 1, nodeIdCharsMax) &&
    isText(statement.from, 1, nodeIdCharsMax) &&
    isText(statement.address, 0, addressCharsMax) &&
    isText(statement.zone, 0, zoneCharsMax) &&
    isCount(statement.boot, Number.MAX_SAFE_INTEGER) &&
    isCount(statement.refutations, refutationsMax) &&
    isCount(statement.restarts, restartsMax) &&
    statement.weight >= weightMin &&
    statement.weight <= weightMax
  );
}
