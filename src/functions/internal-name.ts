/** Begins the name of an operation that is the system's own; no handler's name can. */
const internalMark = "(";

export function isInternalName(operation: string): boolean {
  return operation.startsWith(internalMark);
}
