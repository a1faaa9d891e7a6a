/** Removes the last build, so that a file whose source is gone cannot be packed. */
import { rmSync } from "node:fs";

rmSync(new URL("../dist", import.meta.url), { recursive: true, force: true });
