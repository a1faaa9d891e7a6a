/**
 * The package as users get it: built, packed by npm, installed by npm into an empty project. What
 * works here cannot depend on anything in this repository but what was packed.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { startNode } from "latticework/node";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { functions } from "../browser/functions.ts";
import { bundleClient } from "../support/bundle-client.ts";
import { openPage } from "../support/open-page.ts";
import { requires } from "../support/requires.ts";
import { runNode } from "../support/run-command.ts";
import { compile, compileAs } from "./install.ts";
import { Project } from "./project.ts";
import { tellStory } from "./tell-story.ts";
import { writePages } from "./write-pages.ts";

/** What a page loads before it can call anything, minified and compressed. */
const entryGzipBytesMax = 40 * 1024;
const barred = /\/node_modules\/(ws|hashring|pino|yjs|lib0)\/|\/dist\/(.*\/)?node\//;

let project: Project;

before(async () => {
  project = await Project.create();
});

after(() => {
  project.remove();
});

function tool(name: string): string {
  return path.join(repositoryRoot, "node_modules", name);
}

test("the tarball holds what was built, its licence and its changes, and nothing else", () => {
  const { files } = project.packed;
  const others = files.filter((file) => !/^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/.test(file));
  assert.deepEqual(others.sort(), ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  assert.ok(files.length > others.length);
});

test("every entry point imports in Node.js and exports what it is for", async () => {
  const text = `
    const names = {};
    for (const entry of ["", "/node", "/client", "/testing"]) {
      names["." + entry] = Object.keys(await import("latticework" + entry)).sort();
    }
    console.log(JSON.stringify(names));`;
  const printed = await runNode(["--input-type=module", "--eval", text], { cwd: project.folder });
  const names = JSON.parse(printed) as Record<string, string[]>;
  assert.deepEqual(names["."], ["LatticeError", "crdt", "defineFunction", "handler"]);
  assert.deepEqual(names["./node"], ["startNode"]);
  assert.deepEqual(names["./client"], ["LatticeError", "connect"]);
  assert.deepEqual(names["./testing"], [
    "SimulatedNetwork",
    "VirtualClock",
    "clockConformance",
    "createTestCluster",
    "transportConformance",
  ]);
});

test("nothing but the entry points can be reached", async () => {
  const text = `await import("latticework/dist/model/error.js")`;
  await assert.rejects(
    runNode(["--input-type=module", "--eval", text], { cwd: project.folder }),
    /ERR_PACKAGE_PATH_NOT_EXPORTED/,
  );
});

test("publint finds nothing to complain of", async () => {
  await runNode([tool("publint/src/cli.js"), "--strict", project.packed.folder], {
    cwd: repositoryRoot,
  });
});

test("the declarations resolve for every kind of importer of ES modules", async () => {
  const { tarball } = project.packed;
  await runNode([tool("@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only"], {
    cwd: repositoryRoot,
  });
});

test("the types hold as packed, and every file of README and docs compiles", async () => {
  await compile(await writePages(project));
});

test("the README's nodes and client run, and print 2", async () => {
  const printed = await tellStory(path.join(project.folder, "pages/README"));
  assert.deepEqual(printed.split("\n"), ["2", "2", ""], "the total, and the watched line");
});

test("the tests of README and docs pass", async (t) => {
  const folder = path.join(project.folder, "pages");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const tests = files.filter((file) => file.endsWith(".test.js"));
  assert.ok(tests.includes(path.join("README", "cart.test.js")));
  assert.ok(tests.length > 8);
  const result = await runNode(["--test", "--test-reporter=tap", ...tests], { cwd: folder });
  const count = /^# pass (\d+)$/m.exec(result)?.[1];
  t.diagnostic(`${String(count)} tests in ${String(tests.length)} files`);
  assert.ok(Number(count) >= tests.length);
});

test("the tsconfig.json that a newcomer is given is enough for the pages", async () => {
  const text = readFileSync(path.join(repositoryRoot, "docs/getting-started.md"), "utf8");
  const [, json = ""] = /^```json\n([\s\S]*?)^```$/m.exec(text) ?? [];
  const { compilerOptions } = JSON.parse(json) as { compilerOptions: object };
  for (const page of ["README", "getting-started"]) {
    const folder = path.join(project.folder, "pages", page);
    const names = readdirSync(folder).filter((name) => /^[^.]+(\.test)?\.ts$/.test(name));
    const files = names.map((name) => path.join(folder, name));
    await compileAs(project.copy(`newcomer-${page}`, files), compilerOptions);
  }
});

test("a browser's types are enough for the client", async () => {
  const pages = path.join(project.folder, "pages/README");
  const files = ["client.ts", "functions.ts"].map((name) => path.join(pages, name));
  await compile(project.copy("browser-types", files), {
    module: "ESNext",
    moduleResolution: "Bundler",
    customConditions: ["browser"],
    lib: ["ES2023", "ESNext.Disposable", "DOM"],
    types: [],
    noEmit: true,
  });
});

test("a bundler needs nothing but the package for a client of at most 40 KiB", async (t) => {
  const folder = project.write("bundle", { "entry.js": 'export * from "latticework/client";\n' });
  const { entryCode, gzipBytes, inputs, externals } = await bundleClient({
    entry: path.join(folder, "entry.js"),
    outdir: path.join(folder, "out"),
  });
  t.diagnostic(`entry chunk: ${String(entryCode.length)} bytes, ${String(gzipBytes)} gzip`);
  assert.deepEqual(externals, []);
  assert.deepEqual(
    inputs.filter((input) => barred.test(input)),
    [],
  );
  assert.ok(inputs.some((input) => input.endsWith("/client-browser.js")));
  assert.doesNotMatch(entryCode, /["'`](node:[\w/]+|ws|hashring|pino|yjs)["'`]/);
  assert.ok(gzipBytes <= entryGzipBytesMax, `${String(gzipBytes)} bytes`);
});

test("the bundled package calls a node from a page", requires("chromium"), async () => {
  const pageFiles = ["page.ts", "functions.ts"].map((name) =>
    path.join(repositoryRoot, "test/browser", name),
  );
  const folder = project.copy("page", pageFiles);
  const { entryFile, inputs } = await bundleClient({
    entry: path.join(folder, "page.ts"),
    outdir: path.join(folder, "out"),
  });
  assert.ok(inputs.some((input) => input.includes("node_modules/latticework/dist/")));
  const node = await startNode({ functions, listen: { port: 0 }, logger: "silent" });
  try {
    await using open = await openPage(entryFile);
    const story = `stories.many(${JSON.stringify(node.address)}, 100)`;
    assert.equal(await open.page.evaluate(story), 100);
    assert.deepEqual(open.complaints, []);
  } finally {
    await node.leave();
  }
});
