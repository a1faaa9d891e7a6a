import type { HandleOf } from "./handle.ts";

/**
 * Calls that are one session: each reads what those before it wrote and were shown, whichever owner
 * answers and whoever leads. What no copy within reach can keep is `unavailable`: a session is never
 * served without a majority.
 */
export interface Session<F> {
  get<N extends keyof F & string>(name: N, key: string): HandleOf<F, N>;
  /**
   * What it has seen so far, some bytes for each partition that it has called. Whoever goes on with it
   * (`connect({ token })`, `node.session({ token })`) is never shown anything older.
   */
  token(): string;
}

export interface SessionOptions {
  /** Of the session that this one goes on with. @default it begins with nothing seen */
  readonly token?: string | undefined;
}
