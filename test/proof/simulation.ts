/**
 * `simulation`: thousands of seeded runs of whole clusters on virtual time find nothing, and met every
 * fault, mechanism and invariant that the build has. The judge is `npm run simulate` itself.
 *
 * Control: `scripts/mutants/followers-keep-what-a-base-lacks.patch`, planted in a checkout of its own:
 * only a deposed primary drops what the new one lacks.
 */
import path from "node:path";
import { applyMutant, readMutant } from "../../scripts/mutation/apply-mutant.ts";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { Plant } from "../support/plant.ts";
import { runProgram } from "../support/run-program.ts";
import {
  exactly,
  none,
  type Figure,
  type Proof,
  type ProofOptions,
  type Verdict,
} from "./proof.ts";
import { targets } from "./targets.ts";

const mutant = "followers-keep-what-a-base-lacks";
/** Two in three catch the mutant; how many hold is what `test/simulation` tells in the same run. */
const smokeSeeds = 2;
const timeoutMs = 3 * 3_600_000;

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const seeds = smoke ? smokeSeeds : targets.simulation.seeds;
  const plant = control ? Plant.create() : undefined;
  try {
    if (plant !== undefined) applyMutant(plant.root, readMutant(fileOf(mutant)));
    say(`simulating ${seeds} seeds`);
    const words = ["--seeds", String(seeds), ...(smoke ? ["--workers", "1"] : [])];
    const cwd = plant?.root ?? repositoryRoot;
    const [script = ""] = await bundle(["scripts/simulate.ts"], cwd);
    const { code, output } = await runProgram(process.execPath, [script, ...words], {
      cwd,
      timeoutMs,
    });
    return judge(code, output, seeds);
  } finally {
    plant?.remove();
  }
}

function fileOf(name: string): string {
  return path.join(repositoryRoot, "scripts/mutants", `${name}.patch`);
}

function judge(code: number, output: string, seeds: number): Verdict {
  const ran = /^([\d,]+) seeds, ([\d,]+) of them count/m.exec(output);
  if (ran === null)
    throw new Error(`npm run simulate ended with ${code} and no totals:\n${output}`);
  const counting = numberOf(ran[2]);
  const failed = /^failed seeds: (.*)$/m.exec(output)?.[1]?.split(" ") ?? [];
  const rare = /^not exercised: (.*)$/m.exec(output)?.[1]?.split(", ") ?? [];
  const figures: Figure[] = [
    exactly("seeds run", numberOf(ran[1]), seeds),
    none("seeds that failed", failed.length),
    none("faults, mechanisms and invariants hardly met", rare.length),
    exactly("exit code", code, 0),
  ];
  return {
    counts: {
      "seeds that count": counting,
      ...tableOf(output),
      ...(failed.length === 0 ? {} : { "failed seeds": failed.slice(0, 20).join(" ") }),
      ...(rare.length === 0 ? {} : { "hardly met": rare.join(", ") }),
    },
    figures,
    provedNothing: counting === 0 ? "no seed counts" : undefined,
    records: [],
  };
}

/** The rows of its tables: four spaces, a name, the sum, the seeds that met it. */
function tableOf(output: string): Record<string, number> {
  const rows = output.matchAll(/^ {4}(\S.*?) {2,}([\d,]+) +([\d,]+)(?: .*)?$/gm);
  return Object.fromEntries([...rows].map(([, name = "", sum]) => [name, numberOf(sum)]));
}

function numberOf(text: string | undefined): number {
  return Number((text ?? "0").replaceAll(",", ""));
}

export const proof: Proof = { control: `the mutant ${mutant} is planted`, run };
