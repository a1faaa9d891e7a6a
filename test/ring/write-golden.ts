/**
 * Writes `golden.json` anew: `node --import tsx test/ring/write-golden.ts`. A changed file is a change
 * of the protocol and needs a new `placementVersion`.
 */
import { writeFileSync } from "node:fs";
import { computeGolden } from "./golden.ts";

const { keys, clusters } = computeGolden();
const lines = [
  "{",
  '  "keys": [',
  keys.map((key) => `    ${JSON.stringify(key)}`).join(",\n"),
  "  ],",
  '  "clusters": [',
  clusters.map((cluster) => `    ${JSON.stringify(cluster)}`).join(",\n"),
  "  ]",
  "}",
];
writeFileSync(new URL("golden.json", import.meta.url), `${lines.join("\n")}\n`);
