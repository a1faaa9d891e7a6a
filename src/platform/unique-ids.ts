/** Real ids: nanoid's 21 characters carry 126 bits from the operating system's generator. */
import { nanoid } from "nanoid";
import type { Ids } from "./platform.ts";

export const uniqueIds: Ids = Object.freeze({ unique: () => nanoid() });
