/** A proof run again, from a copy of the sources with faults in it. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { bundle } from "../../scripts/programs/bundle.ts";
import type { Plant } from "../support/plant.ts";
import { runProgram } from "../support/run-program.ts";
import type { Verdict } from "./proof.ts";
import type { ProofName } from "./targets.ts";

const timeoutMs = 3_600_000;

/** What the copy proves of itself; the copy is gone afterwards. */
export async function provePlanted(
  name: ProofName,
  plant: Plant,
  smoke: boolean,
): Promise<Verdict> {
  try {
    const file = path.join(plant.root, "verdict.json");
    const [script = ""] = await bundle(["scripts/prove.ts"], plant.root);
    const args = ["--enable-source-maps", script, name, "--json", file];
    if (smoke) args.push("--smoke");
    const { code, output } = await runProgram(process.execPath, args, {
      cwd: plant.root,
      timeoutMs,
    });
    if (code !== 0 && code !== 1) throw new Error(`the control ended with ${code}:\n${output}`);
    return JSON.parse(readFileSync(file, "utf8")) as Verdict;
  } finally {
    plant.remove();
  }
}
