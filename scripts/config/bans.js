/**
 * Turns the table of rooms into ESLint blocks: one per row, each with the bans that the row does
 * not lift. ESLint replaces a rule's options by those of the last block that matches a file, so
 * every block carries its whole list and rows of folders come after their room's row.
 */
import { builtinModules } from "node:module";
import rooms from "./rooms.cjs";

const builtinNames = builtinModules.filter((name) => !name.startsWith("_"));
const libraryOwners = new Map(
  Object.entries(rooms.rooms).flatMap(([room, row]) =>
    (row.libraries ?? []).map((library) => [library, room]),
  ),
);

/** One block per row of the table, rooms before their folders. */
export function banBlocks(syntaxEverywhere) {
  const names = Object.keys(rooms.rooms).sort((a, b) => depth(a) - depth(b));
  return names.map((name) => banBlock(name, syntaxEverywhere));
}

function banBlock(name, syntaxEverywhere) {
  const rows = rowsOf(name);
  const allowedGlobals = new Set(rows.flatMap((row) => row.globals ?? []));
  const isPure = rows.some((row) => row.pure);
  return {
    name: `latticework/room/${name}`,
    files: [`src/${name}/**/*.ts`, `src/${name}.ts`],
    rules: {
      "no-restricted-globals": ["error", restrictedGlobals(allowedGlobals, isPure)],
      "no-restricted-properties": [
        "error",
        ...(allowedGlobals.has("Date") ? [] : rooms.bannedProperties),
      ],
      "no-restricted-imports": ["error", { patterns: restrictedImports(rows) }],
      "no-restricted-syntax": [
        "error",
        ...syntaxEverywhere,
        ...dynamicImports(rows),
        ...(isPure ? waiting : []),
      ],
    },
  };
}

function rowsOf(name) {
  const [room] = name.split("/");
  return name === room ? [rooms.rooms[room]] : [rooms.rooms[room], rooms.rooms[name]];
}

function depth(name) {
  return name.split("/").length;
}

function restrictedGlobals(allowed, isPure) {
  const banned = { ...rooms.bannedGlobals, ...(isPure ? rooms.bannedInPureRooms : {}) };
  const globals = Object.entries(banned)
    .filter(([name]) => !allowed.has(name))
    .map(([name, message]) => ({ name, message }));
  return { globals, checkGlobalObject: true };
}

function restrictedImports(rows) {
  return [
    ...forbiddenBuiltins(rows).map(({ name, message }) => ({
      regex: builtinPattern(name),
      message,
    })),
    ...forbiddenLibraries(rows).map(({ name, message }) => ({
      regex: `^${name}(/|$)`,
      message,
    })),
  ];
}

/** `no-restricted-imports` overlooks `import()`, hence the same list as syntax. */
function dynamicImports(rows) {
  return [...forbiddenBuiltins(rows), ...forbiddenLibraries(rows)].map(({ name, message }) => ({
    selector: `ImportExpression[source.value=/${escaped(builtinNames.includes(name) ? builtinPattern(name) : `^${name}(/|$)`)}/]`,
    message,
  }));
}

function forbiddenBuiltins(rows) {
  const allowed = new Set(rows.flatMap((row) => row.builtins ?? []));
  return builtinNames
    .filter((name) => !allowed.has(name))
    .filter((name) => name in rooms.guardedBuiltins || !allowed.has("*"))
    .map((name) => ({
      name,
      message:
        rooms.guardedBuiltins[name] ?? "This room also runs in browsers: no modules of Node.js.",
    }));
}

function forbiddenLibraries(rows) {
  const own = new Set(rows.flatMap((row) => row.libraries ?? []));
  return [...libraryOwners]
    .filter(([name]) => !own.has(name))
    .map(([name, owner]) => ({ name, message: `Only \`${owner}\` uses ${name}.` }));
}

function builtinPattern(name) {
  return `^(node:)?${name}$`;
}

/** Slashes would end the regular expression of a selector. */
function escaped(pattern) {
  return pattern.replaceAll("/", "\\u002F");
}

const pureMessage = "Pure rooms are synchronous: they return effects and never wait.";
const waiting = [
  { selector: "AwaitExpression", message: pureMessage },
  { selector: "ForOfStatement[await=true]", message: pureMessage },
  { selector: ":function[async=true]", message: pureMessage },
];
