/**
 * What the pages say about the code is compared with the code: error codes, limits, commands, links.
 * Their snippets are run against the packed package in `test/package`.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { checkConnectOptions } from "../../src/client/connect-options.ts";
import { mergeCallOptions } from "../../src/definition/call-options.ts";
import { checkFunctionOptions } from "../../src/definition/function-options.ts";
import { errorCodes, LatticeError } from "../../src/model/error.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { checkNodeOptions } from "../../src/node/options.ts";
import { statedLimits } from "./stated-limits.ts";

const rootPages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const folders = [
  "docs",
  "src",
  "examples",
  ...foldersWithPages("src"),
  ...foldersWithPages("examples"),
];
const pages = [...rootPages, ...folders.flatMap(pagesIn)];

function foldersWithPages(parent: string): string[] {
  return readdirSync(path.join(repositoryRoot, parent))
    .map((name) => `${parent}/${name}`)
    .filter((folder) => existsSync(path.join(repositoryRoot, folder, "README.md")));
}

function pagesIn(folder: string): string[] {
  return readdirSync(path.join(repositoryRoot, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}/${name}`);
}

function read(page: string): string {
  return readFileSync(path.join(repositoryRoot, page), "utf8");
}

/** The cells of all table rows. */
function rows(page: string): string[][] {
  return read(page)
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test("docs/errors.md has a row for every error code, and for no other", () => {
  const codes = rows("docs/errors.md")
    .filter((cells) => cells.length === 4)
    .map(([code = ""]) => /^`(\w+)`$/.exec(code)?.[1])
    .filter((code) => code !== undefined);
  assert.deepEqual(codes.sort(), [...errorCodes].sort());
});

test("docs/limits.md states the limits of the code", () => {
  const stated = rows("docs/limits.md").flatMap(([, most, constant = ""]) => {
    const name = /^`(\w+)`$/.exec(constant)?.[1];
    return name === undefined ? [] : [[name, most]];
  });
  assert.deepEqual(Object.fromEntries(stated), statedLimits);
});

/** The first cells of the table whose header begins so. */
function listed(page: string, header: string): string[] {
  const lines = rows(page);
  const begin = lines.findIndex(([first]) => first === header);
  assert.ok(begin >= 0, `${page} has no table of "${header}"`);
  const names: string[] = [];
  // After the header comes the line of dashes.
  for (const [first = ""] of lines.slice(begin + 2)) {
    const name = /^`([\w.]+)`$/.exec(first)?.[1];
    if (name === undefined) break;
    names.push(name);
  }
  return names;
}

/** The options that a function takes: what its refusal of another one names. */
function taken(refuse: () => unknown): string[] {
  try {
    refuse();
  } catch (error) {
    assert.ok(error instanceof LatticeError);
    return /known are (.*)$/.exec(error.message)?.[1]?.split(", ") ?? [];
  }
  return assert.fail("an unknown option was taken");
}

/** Grows with the union, or does not compile. */
const eventTypes: Readonly<Record<NodeEvent["type"], true>> = {
  "member.joined": true,
  "member.suspected": true,
  "member.refuted": true,
  "member.dead": true,
  "member.leaving": true,
  "member.resting": true,
  "member.rested": true,
  "member.left": true,
  "member.forgotten": true,
  "node.accused": true,
  "node.duplicate": true,
  "placement.changed": true,
  "primary.began": true,
  "primary.ended": true,
  "owners.changed": true,
  "underReplicated.changed": true,
  "degraded.began": true,
  "degraded.ended": true,
  "fork.merged": true,
  "fork.refused": true,
  diverged: true,
  "clock.skew": true,
  "outbox.failed": true,
  "timer.failed": true,
  "events.dropped": true,
};

test("docs/operations.md has a row for every event that there is, and for no other", () => {
  assert.deepEqual(listed("docs/operations.md", "type").sort(), Object.keys(eventTypes).sort());
});

const wrong: object = { noSuchOption: 1 };
const optionTables: readonly (readonly [string, string, () => unknown, readonly string[]])[] = [
  [
    "docs/operations.md",
    "option of `startNode`",
    () => checkNodeOptions({ functions: {}, ...wrong }),
    [],
  ],
  ["docs/calls.md", "option of `connect`", () => checkConnectOptions({ nodes: [], ...wrong }), []],
  ["docs/calls.md", "option", () => mergeCallOptions({}, wrong), []],
  [
    "docs/functions.md",
    "option",
    () => checkFunctionOptions(wrong),
    ["state", "handlers", "queries"],
  ],
];
for (const [page, header, refuse, elsewhere] of optionTables) {
  test(`${page}: the table of "${header}" has every option there is, and no other`, () => {
    const names = taken(refuse).filter((name) => !elsewhere.includes(name));
    assert.deepEqual(listed(page, header).sort(), names.sort());
  });
}

test("docs/operations.md names flags that npm run node has", () => {
  const usage = read("scripts/start-node.ts");
  const flags = rows("docs/operations.md").flatMap(
    ([, flag = ""]) => flag.match(/--[a-z][\w-]*/g) ?? [],
  );
  assert.ok(flags.length > 10);
  assert.deepEqual(
    flags.filter((flag) => !new RegExp(`^  ${flag} `, "m").test(usage)),
    [],
  );
});

test("every npm script that a page names exists", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/npm (?:run ([\w-]+)|(start|test)\b)/g)].map((match) => ({
      page,
      script: match[1] ?? match[2] ?? "",
    })),
  );
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter(({ script }) => scripts[script] === undefined),
    [],
  );
});

test("every script, page and file that a page links to or names exists", () => {
  const missing = pages.flatMap((page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(
      ([, target = ""]) => path.join(path.dirname(page), target),
    );
    const named = [
      ...read(page).matchAll(/`((?:src|test|scripts|examples|docs|bench)\/[\w./-]+)`/g),
    ].map(([, target = ""]) => target);
    return [...links, ...named]
      .filter((target) => !existsSync(path.join(repositoryRoot, target)))
      .filter((target) => !existsSync(path.join(repositoryRoot, `${target}.ts`)))
      .map((target) => `${page}: ${target}`);
  });
  assert.deepEqual(missing, []);
});
