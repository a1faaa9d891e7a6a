/**
 * `mutants`: simple mistakes in the protocol, each planted into a copy of the source, are caught by a
 * named invariant of the simulator. The judge is `npm run mutants` itself.
 *
 * Control: in a checkout of its own the only mutant changes a comment, which nothing can catch.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { Plant } from "../support/plant.ts";
import { runProgram } from "../support/run-program.ts";
import { atLeast, exactly, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

/** Caught within a few seeds. */
const smokeMutant = "followers-keep-what-a-base-lacks";
const smokeArgs = ["--starts", "1", "--workers", "1", "--no-compile", "--seeds"];
const timeoutMs = 6 * 3_600_000;
const harmless = `A comment says more than it did.
--- a/src/model/limits.ts
+++ b/src/model/limits.ts
@@ -1,2 +1,3 @@
 /**
+ * Harmless.
  * Every bound of the system that a user or an operator can meet, in one place, so that "what is the
`;

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const plant = control ? Plant.create() : undefined;
  try {
    if (plant !== undefined) leaveOnlyHarmless(plant.root);
    const root = plant?.root ?? repositoryRoot;
    const all = readdirSync(path.join(root, "scripts/mutants")).length;
    const words = smoke
      ? [...(control ? [] : [smokeMutant]), ...smokeArgs, control ? "2" : "300"]
      : control
        ? ["--starts", "1", "--seeds", "50"]
        : [];
    const wanted = smoke || control ? 1 : all;
    say(`planting ${wanted} of ${all} mutants`);
    const [script = ""] = await bundle(["scripts/mutants.ts"], root);
    const { code, output } = await runProgram(process.execPath, [script, ...words], {
      cwd: root,
      timeoutMs,
    });
    const result = /^(\d+) of (\d+) mutants caught$/m.exec(output);
    if (result === null) throw new Error(`npm run mutants ended with ${code}:\n${output}`);
    const caught = Number(result[1]);
    const least = smoke ? 1 : targets.mutants.caughtMin;
    return {
      counts: { "mutants planted": Number(result[2]), ...firstSeeds(output) },
      figures: [
        atLeast("mutants caught by a named invariant", caught, least),
        exactly("of those planted", caught, wanted),
      ],
      provedNothing: Number(result[2]) === 0 ? "no mutant was planted" : undefined,
      records: [],
    };
  } finally {
    plant?.remove();
  }
}

function leaveOnlyHarmless(root: string): void {
  const folder = path.join(root, "scripts/mutants");
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  writeFileSync(path.join(folder, "harmless.patch"), harmless);
}

/** For each mutant caught the invariant, the first seed, and the median of seeds needed. */
function firstSeeds(output: string): Record<string, string> {
  const rows = output.matchAll(/^(\S+) +\S.*? +([A-Z]\d+) +(\d+) +(\d+) +\(/gm);
  return Object.fromEntries(
    [...rows].map(([, name = "", invariant, seed, median]) => [
      name,
      `${invariant ?? ""} at seed ${seed ?? ""}, median ${median ?? ""}`,
    ]),
  );
}

export const proof: Proof = { control: "the only mutant changes a comment", run };
