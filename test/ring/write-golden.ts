/**
 * Writes `golden.json` anew: `node --import tsx test/ring/write-golden.ts`, then `npm run fix`. A file
 * that changed is a change of the protocol and needs a new `placementVersion`.
 */
import { writeFileSync } from "node:fs";
import { computeGolden } from "./golden.ts";

const golden = JSON.stringify(computeGolden(), undefined, 2);
writeFileSync(new URL("golden.json", import.meta.url), `${golden}\n`);
