/**
 * `walls`: the walls between rooms hold. The tests of lint and layers plant every violation that the
 * issue names and see it refused; here they run as a whole, in a checkout of their own.
 *
 * Control: in that checkout the table of walls (`rooms.cjs`) lifts the bans on time and on clients
 * that import state, so that planted violations pass.
 */
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { Plant } from "../support/plant.ts";
import { runProgram } from "../support/run-program.ts";
import { atLeast, exactly, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";

const files = ["test/tools/lint.test.ts", "test/tools/layers.test.ts"];
/** The tests of violations, among which those are that the control must let pass. */
const planted = "^refuses ";
const timeoutMs = 300_000;

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const plant = control ? Plant.create() : undefined;
  try {
    plant?.change("scripts/config/rooms.cjs", '  Date: "Take', '  NoDate: "Take');
    plant?.change(
      "scripts/config/rooms.cjs",
      '"client/replica": { imports: ["state (import())"]',
      '"client/replica": { imports: ["state"]',
    );
    say(`running ${files.join(" and ")}`);
    const words = control && smoke ? [`--test-name-pattern=${planted}`] : [];
    const args = ["--import", "tsx", "--test", "--test-reporter=tap", ...words, ...files];
    const cwd = plant?.root ?? repositoryRoot;
    const { code, output } = await runProgram(process.execPath, args, { cwd, timeoutMs });
    const count = (what: string): number =>
      Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(output)?.[1] ?? 0);
    return {
      counts: { "tests run": count("tests"), passed: count("pass"), skipped: count("skipped") },
      figures: [
        exactly("exit code of the tests", code, 0),
        none("violations that passed, or refusals without one", count("fail")),
        atLeast("tests that passed", count("pass"), 1),
      ],
      provedNothing: count("tests") === 0 ? "no test ran" : undefined,
      records: [],
    };
  } finally {
    plant?.remove();
  }
}

export const proof: Proof = { control: "the table of walls lifts bans", run };
