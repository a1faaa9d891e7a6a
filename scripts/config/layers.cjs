/**
 * The walls between rooms for dependency-cruiser, made from the table in `rooms.cjs`. A type-only
 * import is an import: a room that needs another's types knows that room.
 *
 * Paths are matched from the folder in which `depcruise` runs, so that the tests can point these
 * same rules at a small tree with a violation in it.
 */
const path = require("node:path");
const { rooms, guardedBuiltins } = require("./rooms.cjs");

const names = Object.keys(rooms);
const folders = names.filter((name) => name.includes("/"));

/** A room, folder or file of `src/` as a pattern: `ring/partition` is a file or a folder. */
function within(name) {
  return name.includes("/") ? `^src/${name}(/|\\.ts$)` : `^src/${name}/`;
}

function parentOf(name) {
  return name.split("/")[0];
}

/** Everything in the room but what has a row of its own, which must be named by itself. */
function contents(entry) {
  const inside = folders.filter((folder) => folder.startsWith(`${entry}/`));
  return inside.length === 0
    ? within(entry)
    : `^src/${entry}/(?!(${inside.map((f) => f.slice(entry.length + 1)).join("|")})(/|\\.ts$))`;
}

/** `node/`, `browser/` and `virtual/` are forms for one kind of world: the rest is for all. */
function ownContents(name) {
  const closed = folders.filter((folder) => /^[^/]+\/(node|browser|virtual)$/.test(folder));
  const room = parentOf(name);
  const inside = closed.filter((folder) => folder.startsWith(`${room}/`) && folder !== name);
  return inside.length === 0
    ? [within(room)]
    : [`^src/${room}/(?!(${inside.map((f) => f.slice(room.length + 1)).join("|")})(/|\\.ts$))`];
}

function entriesOf(name) {
  const own = rooms[name].imports;
  return name === parentOf(name) ? own : [...rooms[parentOf(name)].imports, ...own];
}

const dynamicOnly = / \(import\(\)\)$/;

function layerRules(name) {
  const entries = entriesOf(name);
  const dynamic = entries.filter((entry) => dynamicOnly.test(entry));
  const dynamicTargets = dynamic.map((entry) => contents(entry.replace(dynamicOnly, "")));
  const targets = entries.filter((entry) => !dynamicOnly.test(entry)).map(contents);
  const from = { path: contents(name) };
  const rules = [
    {
      name: `walls of ${name}`,
      comment: `${name} may import only from: ${entries.join(", ") || "no other room"}.`,
      severity: "error",
      from,
      to: { path: "^src/", pathNot: [...ownContents(name), ...targets, ...dynamicTargets] },
    },
  ];
  if (dynamicTargets.length > 0) {
    rules.push({
      name: `only by import() in ${name}`,
      comment: `${name} loads ${dynamic.join(", ")} when it is first needed.`,
      severity: "error",
      from,
      to: { path: dynamicTargets, dependencyTypesNot: ["dynamic-import", "type-only"] },
    });
  }
  return rules;
}

/** Every library has one room; one without a room is refused everywhere. */
function libraryRules() {
  const owned = names.flatMap((name) =>
    (rooms[name].libraries ?? []).map((library) => ({ library, owner: name })),
  );
  const patterns = owned.map(({ library }) => `node_modules/(@types/)?${library}/`);
  return [
    ...owned.map(({ library, owner }) => ({
      name: `${library} only in ${owner}`,
      severity: "error",
      from: { path: "^src/", pathNot: within(owner) },
      to: { path: [`node_modules/(@types/)?${library}/`, `^${library}(/|$)`] },
    })),
    {
      name: "no library without a room",
      comment: "Add it to the room that alone uses it in scripts/config/rooms.cjs.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "node_modules/", pathNot: [...patterns, "node_modules/@types/node/"] },
    },
  ];
}

function builtinRules() {
  const open = names.filter((name) => rooms[name].builtins?.includes("*"));
  const guarded = Object.keys(guardedBuiltins);
  return [
    {
      name: "no modules of Node.js",
      comment: "This room also runs in browsers.",
      severity: "error",
      from: { path: "^src/", pathNot: open.map(within) },
      to: { dependencyTypes: ["core"] },
    },
    ...guarded.map((builtin) => ({
      name: `${builtin} only in its room`,
      comment: guardedBuiltins[builtin],
      severity: "error",
      from: {
        path: "^src/",
        pathNot: names.filter((name) => rooms[name].builtins?.includes(builtin)).map(within),
      },
      to: { dependencyTypes: ["core"], path: `^(node:)?${builtin}$` },
    })),
  ];
}

module.exports = {
  forbidden: [
    {
      name: "no cycles",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "nothing unresolvable",
      severity: "error",
      // Packages that are installed late, by design, are named by the error that asks for them.
      from: { path: "^(src|test|scripts|bench)/" },
      to: { couldNotResolve: true },
    },
    {
      name: "no index files",
      severity: "error",
      from: {},
      to: { path: "/index\\.[cm]?[jt]s$", pathNot: "node_modules/" },
    },
    {
      name: "every file in a room",
      comment: "A new room starts with its row in scripts/config/rooms.cjs.",
      severity: "error",
      from: {},
      to: { path: "^src/", pathNot: names.map(within) },
    },
    {
      name: "src stands alone",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|scripts|examples|docs|dist)/" },
    },
    ...names.flatMap(layerRules),
    ...libraryRules(),
    ...builtinRules(),
  ],
  options: {
    doNotFollow: { path: ["node_modules", "^dist/"] },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: path.resolve(__dirname, "../../tsconfig.json") },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["types", "node", "import", "default"],
      extensions: [".ts", ".js", ".mjs", ".cjs", ".d.ts"],
    },
    moduleSystems: ["es6", "cjs"],
  },
};
