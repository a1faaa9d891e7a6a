/**
 * What the pages say about the code is compared with the code: error codes, limits, commands, links.
 * Their snippets are run against the packed package in `test/package`.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { errorCodes } from "../../src/model/error.ts";
import { statedLimits } from "./stated-limits.ts";

const rootPages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
const folders = ["docs", "src", ...roomsWithPages()];
const pages = [...rootPages, ...folders.flatMap(pagesIn)];

function roomsWithPages(): string[] {
  return readdirSync(path.join(repositoryRoot, "src"))
    .map((room) => `src/${room}`)
    .filter((room) => existsSync(path.join(repositoryRoot, room, "README.md")));
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
