/**
 * Names of things. They are plain strings and numbers so that they can be map keys and travel on
 * the wire as they are.
 */

/** A node's name: configured, or else its advertised `host:port`. At most 128 characters, no `#`. */
export type NodeId = string;

/**
 * One life of a node. Rises with every start of the same node id:
 * wall clock in milliseconds × 1024 + a random suffix, so it stays below 2^53 until the year 2248.
 */
export type BootId = number;

/** One life of one node, written `node#boot`. Owners of a partition are processes, never nodes. */
export type ProcessId = string;

/** A slice of the key space, 0 … Q − 1. */
export type PartitionId = number;

/** A random 53-bit id of whoever numbers commits: one term of a primary, or one fork (`writer.ts`). */
export type WriterId = number;

/** `function/key`; the first `/` separates. */
export type EntityName = string;

export function processId(node: NodeId, boot: BootId): ProcessId {
  return `${node}#${String(boot)}`;
}

export function nodeOf(process: ProcessId): NodeId {
  return process.slice(0, process.lastIndexOf("#"));
}

export function bootOf(process: ProcessId): BootId {
  return Number(process.slice(process.lastIndexOf("#") + 1));
}

export function entityName(functionName: string, key: string): EntityName {
  return `${functionName}/${key}`;
}

/**
 * Names one protected call in log lines and errors, in all its attempts and wherever they run.
 * @param number 0 where `caller` is an idempotency key
 */
export function callId(caller: string, number: number): string {
  return `${caller}:${String(number)}`;
}

/** Splits `function/key` at its first slash. */
export function splitEntityName(name: EntityName): { functionName: string; key: string } {
  const slash = name.indexOf("/");
  return { functionName: name.slice(0, slash), key: name.slice(slash + 1) };
}
