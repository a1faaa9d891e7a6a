/**
 * The linter refuses what the design forbids. Each test plants one violation in a file that does
 * not exist and names the rule that must see it; the first tests are the control: the same plants
 * are accepted where they are allowed.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ESLint, type Linter } from "eslint";
import tseslint from "typescript-eslint";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

const configFile = "scripts/config/eslint.config.js";

/** Rules that need types cannot look at files that do not exist. */
const withoutTypes: Linter.Config = {
  files: ["**/*.ts"],
  languageOptions: { parserOptions: { projectService: false } },
  rules: tseslint.configs.disableTypeChecked.rules as Linter.RulesRecord,
};
const untyped = new ESLint({
  cwd: repositoryRoot,
  overrideConfigFile: configFile,
  overrideConfig: [withoutTypes],
});
const typed = new ESLint({ cwd: repositoryRoot, overrideConfigFile: configFile });

async function rulesBroken(eslint: ESLint, filePath: string, text: string): Promise<string[]> {
  const [result] = await eslint.lintText(text, { filePath, warnIgnored: true });
  assert.ok(result !== undefined, "the file was linted");
  const fatal = result.messages.find((message) => message.ruleId === null);
  assert.equal(fatal?.message, undefined);
  return result.messages.map(({ ruleId }) => String(ruleId));
}

const accepted: readonly (readonly [file: string, text: string])[] = [
  ["src/membership/planted.ts", "export const probeTimeoutMs = 500;\n"],
  [
    "src/membership/planted.ts",
    "export function later(now: number): number {\n  return now + 1;\n}\n",
  ],
  ["src/platform/planted.ts", "export const wallNow = (): number => Date.now();\n"],
  ["src/platform/planted.ts", "export const draw = (): number => Math.random();\n"],
  ["src/platform/node/planted.ts", "export const pid = process.pid;\n"],
  [
    "src/platform/node/planted.ts",
    'import { performance } from "node:perf_hooks";\n\nexport const now = () => performance.now();\n',
  ],
  ["src/transport/node/planted.ts", 'export { WebSocketServer } from "ws";\n'],
  ["src/transport/node/planted.ts", 'export { createServer } from "node:http";\n'],
  ["src/transport/browser/planted.ts", 'export const dial = () => new WebSocket("ws://x");\n'],
  ["src/ring/candidates.ts", 'import HashRing from "hashring";\n\nexport const ring = HashRing;\n'],
  ["src/client/planted.ts", "export const soon = async () => Promise.resolve(1);\n"],
  ["test/ring/planted.test.ts", "export const startedAt = Date.now();\n"],
];

for (const [file, text] of accepted) {
  test(`accepts ${summary(text)} in ${file}`, async () => {
    assert.deepEqual(await rulesBroken(untyped, file, text), []);
  });
}

const refused: readonly (readonly [rule: string, file: string, text: string])[] = [
  // Time, chance and waiting in a pure room.
  ["no-restricted-globals", "src/membership/planted.ts", "export const now = Date.now();"],
  ["no-restricted-globals", "src/membership/planted.ts", "export const now = new Date();"],
  [
    "no-restricted-imports",
    "src/membership/planted.ts",
    'import { setTimeout } from "node:timers/promises"; export const wait = setTimeout;',
  ],
  [
    "no-restricted-properties",
    "src/membership/planted.ts",
    "export const signal = AbortSignal.timeout(1);",
  ],
  [
    "no-restricted-globals",
    "src/membership/planted.ts",
    "export const later = globalThis.setTimeout;",
  ],
  ["no-restricted-globals", "src/membership/planted.ts", "export const g = globalThis;"],
  ["no-restricted-globals", "src/membership/planted.ts", "export const p = Promise.resolve();"],
  ["no-restricted-globals", "src/membership/planted.ts", "export const t = performance.now();"],
  ["no-restricted-globals", "src/membership/planted.ts", "setTimeout(() => 1, 1);"],
  ["no-restricted-globals", "src/membership/planted.ts", "queueMicrotask(() => 1);"],
  ["no-restricted-globals", "src/membership/planted.ts", "export const u = crypto.randomUUID();"],
  ["no-restricted-globals", "src/membership/planted.ts", "export const { pid } = process;"],
  ["no-restricted-properties", "src/ring/planted.ts", "export const r = Math.random();"],
  ["no-restricted-properties", "src/ring/planted.ts", "export const { random } = Math;"],
  ["no-restricted-imports", "src/ring/planted.ts", 'export { now } from "perf_hooks";'],
  ["no-restricted-imports", "src/ring/planted.ts", 'export { nanoid } from "nanoid";'],
  ["no-restricted-imports", "src/ring/planted.ts", 'export { randomBytes } from "node:crypto";'],
  ["no-restricted-syntax", "src/ring/planted.ts", 'export const t = import("node:timers");'],
  ["no-restricted-syntax", "src/ring/planted.ts", "export async function wait() { return 1; }"],
  [
    "no-restricted-syntax",
    "src/routing/planted.ts",
    "export const f = async (x: Promise<1>) => { await x; };",
  ],
  // The outside world in rooms that are not its owner.
  ["no-restricted-globals", "src/platform/planted.ts", "export const pid = process.pid;"],
  ["no-restricted-globals", "src/node/planted.ts", "export const pid = process.pid;"],
  ["no-restricted-globals", "src/transport/planted.ts", 'export const w = new WebSocket("ws:");'],
  ["no-restricted-globals", "src/client/planted.ts", 'export const r = fetch("http://x");'],
  ["no-restricted-globals", "src/codec/planted.ts", "export const b = Buffer.alloc(1);"],
  ["no-restricted-imports", "src/node/planted.ts", 'export { WebSocket } from "ws";'],
  ["no-restricted-imports", "src/gateway/planted.ts", 'export { createServer } from "node:http";'],
  ["no-restricted-imports", "src/client/planted.ts", 'export { readFile } from "node:fs";'],
  ["no-restricted-imports", "src/ring/planted.ts", 'import HashRing from "hashring"; HashRing();'],
  ["no-console", "src/node/planted.ts", 'console.log("here");'],
  // Habits.
  ["@typescript-eslint/no-explicit-any", "src/model/planted.ts", "export const x: any = 1;"],
  ["no-restricted-syntax", "src/model/planted.ts", "export default 1;"],
  ["no-restricted-syntax", "src/model/planted.ts", "export enum Color { Red }"],
  ["no-restricted-syntax", "src/model/planted.ts", "export class A { private readonly x = 1; }"],
  [
    "no-restricted-syntax",
    "src/model/planted.ts",
    "class A { x = 1; } export class B extends A {}",
  ],
  ["no-restricted-syntax", "src/model/planted.ts", "export class PoolManager { x = 1; }"],
  [
    "no-restricted-syntax",
    "src/client/planted.ts",
    "export const f = (x: Promise<1>) => x.catch(() => {});",
  ],
  ["no-restricted-syntax", "src/model/index.ts", "export const x = 1;"],
  ["no-empty", "src/model/planted.ts", "try { JSON.parse('1'); } catch {}"],
  // Sizes.
  ["max-lines", "src/model/planted.ts", "export const x = 1;\n".repeat(401)],
  [
    "max-lines-per-function",
    "src/model/planted.ts",
    `export function long() {\n${"  String(1);\n".repeat(70)}}\n`,
  ],
  [
    "complexity",
    "src/model/planted.ts",
    `export function f(x: number) {\n${"  if (x > 1) x += 1;\n".repeat(12)}  return x;\n}\n`,
  ],
  [
    "@typescript-eslint/max-params",
    "src/model/planted.ts",
    "export const f = (a: 1, b: 1, c: 1, d: 1, e: 1) => a + b + c + d + e;",
  ],
];

for (const [rule, file, text] of refused) {
  test(`refuses ${summary(text)} in ${file} by ${rule}`, async () => {
    const broken = await rulesBroken(untyped, file, text);
    assert.ok(broken.includes(rule), `broken instead: ${broken.join(", ") || "nothing"}`);
  });
}

test("an eslint-disable that disables nothing is an error", async () => {
  const text = "// eslint-disable-next-line no-console -- once there was a call\nexport {};\n";
  const [result] = await untyped.lintText(text, { filePath: "src/model/planted.ts" });
  assert.match(result?.messages[0]?.message ?? "", /Unused eslint-disable directive/);
  assert.equal(result?.errorCount, 1);
});

test("a promise that nobody waits for is refused, but for those of node:test", async () => {
  const text = [
    'import { test } from "node:test";',
    'test("x", () => {});',
    "async function work() {",
    "  return Promise.resolve(1);",
    "}",
    "work();",
  ];
  const existing = "test/tools/lint.test.ts";
  const [result] = await typed.lintText(text.join("\n"), { filePath: existing });
  const found = result?.messages.map(({ ruleId, line }) => `${String(ruleId)} ${line}`);
  assert.deepEqual(found, ["@typescript-eslint/no-floating-promises 6"]);
});

test("a switch that forgets a message of a union is refused", async () => {
  const text = [
    'type Message = { type: "ping" } | { type: "ack" };',
    "export function receive(message: Message): number {",
    "  switch (message.type) {",
    '    case "ping":',
    "      return 1;",
    "  }",
    "  return 2;",
    "}",
  ];
  const broken = await rulesBroken(typed, "src/model/error.ts", text.join("\n"));
  assert.deepEqual(broken, ["@typescript-eslint/switch-exhaustiveness-check"]);
});

function summary(text: string): string {
  const line = text.trim().split("\n").join(" ");
  return `\`${line.length > 70 ? `${line.slice(0, 70)}…` : line}\``;
}
