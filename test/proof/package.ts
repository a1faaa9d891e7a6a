/**
 * `package`: the package as users get it. It is built, packed and installed by npm into an empty
 * project; every entry point is imported, the client is bundled for browsers without externals, and
 * that bundle calls a real node from Chromium. esbuild's account of the bundle and npm's list of the
 * tarball are the outside records.
 *
 * Control: the `browser` condition is taken out of the packed package.json, so that bundlers get the
 * client of Node.js, which names what browsers lack.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BuildFailure } from "esbuild";
import { startNode } from "latticework/node";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { functions } from "../browser/functions.ts";
import { Project } from "../package/project.ts";
import { bundleClient, type ClientBundle } from "../support/bundle-client.ts";
import { chromiumPath } from "../support/chromium-path.ts";
import { openPage } from "../support/open-page.ts";
import { runNode } from "../support/run-command.ts";
import {
  atMost,
  exactly,
  none,
  type Figure,
  type Proof,
  type ProofOptions,
  type Verdict,
} from "./proof.ts";
import { targets } from "./targets.ts";

/** What each is for. */
const exportsOf: Readonly<Record<string, readonly string[]>> = {
  latticework: ["LatticeError", "crdt", "defineFunction", "handler", "pipe"],
  "latticework/node": ["startNode"],
  "latticework/client": ["LatticeError", "connect"],
  "latticework/testing": [
    "SimulatedNetwork",
    "VirtualClock",
    "clockConformance",
    "createTestCluster",
    "transportConformance",
  ],
};
const barred = /\/node_modules\/(ws|hashring|pino|yjs|lib0)\/|\/dist\/(.*\/)?node\//;
const barredNames = /["'`](node:[\w/]+|ws|hashring|pino|yjs)["'`]/g;
const callCount = 1_000;

async function run(options: ProofOptions): Promise<Verdict> {
  options.say("building, packing and installing into an empty project");
  const project = await Project.create({ anew: !options.smoke });
  try {
    return await judge(project, options);
  } finally {
    project.remove();
  }
}

async function judge(project: Project, { control, smoke, say }: ProofOptions): Promise<Verdict> {
  if (control) return judgeWithoutCondition(project, say);
  say("importing every entry point");
  const imported = await importedCount(project);
  // In smoke size they are left to `npm run check`, which asks both of the same package.
  if (!smoke) say("asking publint and attw");
  const complaints = smoke ? 0 : (await publintFails(project)) + (await attwFails(project));
  say("bundling the client for browsers");
  const bundled = await bundlePage(project);
  const { bundle } = bundled;
  const executable = chromiumPath();
  say(`calling a node ${String(callCount)} times from ${executable ?? "no browser: none is here"}`);
  const called =
    bundle === undefined || executable === undefined
      ? { answered: 0, complaints: 0 }
      : await callFrom(bundle.entryFile);
  return {
    figures: [
      exactly("entry points that import", imported, Object.keys(exportsOf).length),
      ...(smoke ? [] : [none("complaints of publint and attw", complaints)]),
      ...bundleFigures(bundled),
      none("complaints of the page", called.complaints),
      exactly("calls from Chromium that took effect once", called.answered, callCount),
    ],
    counts: {
      "files in the tarball": project.packed.files.length,
      "bytes of the tarball": readFileSync(project.packed.tarball).length,
      "inputs of the bundle": bundle?.inputs.length ?? 0,
      "bytes of the entry chunk, minified": bundle?.entryCode.length ?? 0,
    },
    provedNothing: executable === undefined ? "there is no Chromium on the path" : undefined,
    records: [],
  };
}

/** What bundlers take is all that the control changes. */
async function judgeWithoutCondition(project: Project, say: ProofOptions["say"]): Promise<Verdict> {
  dropBrowserCondition(project);
  say("bundling the client for browsers");
  return { figures: bundleFigures(await bundlePage(project)), counts: {}, records: [] };
}

function bundleFigures({ missing, bundle }: Bundled): readonly Figure[] {
  const inputs = bundle?.inputs ?? [];
  const strangers = inputs.filter((input) => barred.test(input)).length;
  const names = bundle?.entryCode.match(barredNames)?.length ?? 0;
  const own = inputs.filter((input) =>
    /node_modules\/latticework\/dist\/.*\/client-browser\.js$/.test(input),
  );
  return [
    none("modules that browsers lack", missing + strangers + names),
    exactly("clients for browsers in the bundle", own.length, 1),
    atMost("entry chunk, compressed", bundle?.gzipBytes ?? 0, targets.package.gzipBytesMax, "B"),
  ];
}

function dropBrowserCondition(project: Project): void {
  const file = path.join(project.folder, "node_modules/latticework/package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8")) as {
    exports: Record<string, Record<string, string>>;
  };
  delete manifest.exports["./client"]?.["browser"];
  writeFileSync(file, JSON.stringify(manifest));
}

/** Of those that export what they are for, and nothing else. */
async function importedCount({ folder }: Project): Promise<number> {
  let count = 0;
  for (const [entry, names] of Object.entries(exportsOf)) {
    const text = `console.log(Object.keys(await import("${entry}")).sort().join())`;
    const exported = await runNode(["--input-type=module", "--eval", text], { cwd: folder });
    if (exported.trim() === names.join()) count += 1;
    else console.error(`${entry} exports ${exported.trim()}`);
  }
  return count;
}

function publintFails({ packed }: Project): Promise<number> {
  return fails("publint/src/cli.js", ["--strict", packed.tarball]);
}

function attwFails({ packed }: Project): Promise<number> {
  return fails("@arethetypeswrong/cli/dist/index.js", [packed.tarball, "--profile", "esm-only"]);
}

/** 1 when the tool complains, which it says on the way. */
function fails(tool: string, args: readonly string[]): Promise<number> {
  const file = path.join(repositoryRoot, "node_modules", tool);
  return runNode([file, ...args], { cwd: repositoryRoot }).then(
    () => 0,
    (error: unknown) => {
      console.error(error);
      return 1;
    },
  );
}

interface Bundled {
  /** Modules that are not inside. */
  readonly missing: number;
  readonly bundle?: ClientBundle;
}

/** The page of the browser tests, bundled in the user's project. */
async function bundlePage(project: Project): Promise<Bundled> {
  const files = ["page.ts", "functions.ts"];
  const sources = files.map((name) => path.join(repositoryRoot, "test/browser", name));
  const folder = project.copy("page", sources);
  try {
    const entry = path.join(folder, "page.ts");
    const bundle = await bundleClient({ entry, outdir: path.join(folder, "out") });
    return { missing: bundle.externals.length, bundle };
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    return { missing: errors.length };
  }
}

interface Called {
  /** How many of `callCount` calls the state of the node shows afterwards. */
  readonly answered: number;
  readonly complaints: number;
}

async function callFrom(script: string): Promise<Called> {
  const node = await startNode({ functions, listen: { port: 0 }, logger: "silent" });
  try {
    await using open = await openPage(script);
    const told = JSON.stringify([node.address, callCount]);
    await open.page.evaluate(`stories.many(...${told})`);
    let answered = 0;
    for (let n = 0; n < 8; n++) answered += await node.get("room", `room-${String(n)}`).count();
    for (const complaint of open.complaints) console.error(complaint);
    return { answered, complaints: open.complaints.length };
  } finally {
    await node.leave();
  }
}

export const proof: Proof = {
  control: "the browser condition is missing from the packed package.json",
  run,
};
