/**
 * `surface`: the files that the README shows, which are those of the design's public surface, as a
 * user would have them: in an empty project with the packed package. They are compiled with every
 * strict flag, declarations of the package included, and run: two nodes, a client, a test. Misuse is
 * counted by `@ts-expect-error`: TypeScript fails where a line below one compiles.
 *
 * Control: in the packed declarations every operation takes any input.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { compile } from "../package/install.ts";
import { Project } from "../package/project.ts";
import { tellStory } from "../package/tell-story.ts";
import { writePages } from "../package/write-pages.ts";
import { runNode } from "../support/run-command.ts";
import {
  atLeast,
  exactly,
  none,
  type Figure,
  type Proof,
  type ProofOptions,
  type Verdict,
} from "./proof.ts";

const packedTypes = "test/types/entry-points.test-d.ts";
const misuseTypes = "test/types/misuse.test-d.ts";
const compiler = path.join(repositoryRoot, "node_modules/typescript/bin/tsc");

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  say("building, packing and installing into an empty project");
  const project = await Project.create({ anew: !smoke });
  try {
    const pages = await writePages(project);
    if (control) return await judgeLoosened(project, pages, say);
    say("compiling the files of README and docs, and the misuses");
    // In smoke size the misuses of the sources are left to `test/types`, which is in the same run.
    const stated = smoke ? [packedTypes] : [packedTypes, misuseTypes];
    const complaints =
      (await complaintCount(compile(pages))) + (smoke ? 0 : await complaintCount(checkTypes()));
    say("running two nodes and the client");
    const told = await tellStory(path.join(pages, "README"));
    say("running the README's test");
    const result = await runNode(["--test-reporter=tap", "cart.test.js"], {
      cwd: path.join(pages, "README"),
    });
    return {
      figures: [
        ...typeFigures(complaints, stated),
        exactly("printed by client.ts", told.trimEnd().split("\n").join(", "), "2, 2"),
        exactly("tests of cart.test.ts that pass", passCount(result), 1),
      ],
      counts: Object.fromEntries(stated.map((file) => [`misuses in ${file}`, misuseCount(file)])),
      records: [],
    };
  } finally {
    project.remove();
  }
}

/** The fault is in the packed declarations: what is compiled against them sees it or nothing does. */
async function judgeLoosened(
  project: Project,
  pages: string,
  say: ProofOptions["say"],
): Promise<Verdict> {
  loosen(project);
  say("compiling the misuses against the packed declarations");
  // Whether the declarations themselves are sound is not what the fault is about.
  const options = { noEmit: true, skipLibCheck: true };
  const complaints = await complaintCount(compile(path.join(pages, "types"), options));
  return { figures: typeFigures(complaints, [packedTypes]), counts: {}, records: [] };
}

function typeFigures(complaints: number, files: readonly string[]): readonly Figure[] {
  const misuses = files.reduce((sum, file) => sum + misuseCount(file), 0);
  return [
    none("complaints of the compiler", complaints),
    atLeast("misuses that fail to compile", complaints === 0 ? misuses : 0, 1),
  ];
}

function loosen(project: Project): void {
  const types = "node_modules/latticework/dist/definition/operation-types.d.ts";
  const file = path.join(project.folder, types);
  const text = readFileSync(file, "utf8");
  const loose = text.replace(/type Declared<F> = [^;]*;/, "type Declared<F> = any[];");
  if (loose === text) throw new Error(`${types} declares no Declared any more: mend the control`);
  writeFileSync(file, loose);
}

/** All of this repository, as `npm run types`: the misuses are part of it. */
function checkTypes(): Promise<string> {
  return runNode([compiler, "-p", "."], { cwd: repositoryRoot });
}

/** Lines with an error of the compiler, which are shown. */
async function complaintCount(compilation: Promise<unknown>): Promise<number> {
  try {
    await compilation;
    return 0;
  } catch (error) {
    const { message } = error as Error;
    console.error(message);
    return Math.max(1, message.match(/error TS\d+/g)?.length ?? 0);
  }
}

function misuseCount(file: string): number {
  const text = readFileSync(path.join(repositoryRoot, file), "utf8");
  return text.match(/^\s*\/\/ @ts-expect-error/gm)?.length ?? 0;
}

function passCount(tap: string): number {
  return Number(/^# pass (\d+)$/m.exec(tap)?.[1] ?? 0);
}

export const proof: Proof = {
  control: "every operation takes any input in the packed declarations",
  run,
};
