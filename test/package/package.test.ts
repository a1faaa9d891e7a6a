/**
 * The package as users get it: built, packed by npm, installed by npm into an empty project. What
 * works here cannot depend on anything in this repository but what was packed. That it imports,
 * bundles and serves a page is told by the proof `package`, and that the code of the pages compiles
 * and the README's story runs by the proof `surface`, in the same run; what publint and attw make of
 * it by `npm run check`.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, before, test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { runNode } from "../support/run-command.ts";
import { compile, compileAs } from "./install.ts";
import { Project } from "./project.ts";
import { writePages } from "./write-pages.ts";

let project: Project;

before(async () => {
  project = await Project.create();
});

after(() => {
  project.remove();
});

test("the tarball holds what was built, its licence and its changes, and nothing else", () => {
  const { files } = project.packed;
  const others = files.filter((file) => !/^dist\/[\w/-]+\.(js|js\.map|d\.ts)$/.test(file));
  assert.deepEqual(others.sort(), ["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
  assert.ok(files.length > others.length);
});

test("nothing but the entry points can be reached", async () => {
  const text = `await import("latticework/dist/model/error.js")`;
  await assert.rejects(
    runNode(["--input-type=module", "--eval", text], { cwd: project.folder }),
    /ERR_PACKAGE_PATH_NOT_EXPORTED/,
  );
});

test("the tests of README and docs pass", async (t) => {
  const folder = await writePages(project);
  // The compiler is asked what it thinks of them by the proof `surface`.
  await compile(folder, { noCheck: true });
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const tests = files.filter((file) => file.endsWith(".test.js"));
  assert.ok(tests.includes(path.join("README", "cart.test.js")));
  assert.ok(tests.length > 8);
  // In one process: to start one for each takes longer than the tests.
  const all = tests.map((file) => `import "./${file.split(path.sep).join("/")}";\n`);
  project.write("pages", { "all-tests.js": all.join("") });
  const result = await runNode(["--test-reporter=tap", "all-tests.js"], { cwd: folder });
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
    assert.ok(names.length > 0);
    project.copy(
      `newcomer/${page}`,
      names.map((name) => path.join(folder, name)),
    );
  }
  await compileAs(path.join(project.folder, "newcomer"), compilerOptions);
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
