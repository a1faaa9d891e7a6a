/**
 * What may be an argument, a result or a piece of state: plain data that survives every border
 * unchanged. Depth at most 64; no `__proto__`, `constructor` or `prototype` keys.
 */
export type Value =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };

export const maxValueDepth = 64;
