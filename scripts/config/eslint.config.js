/**
 * One lint configuration for the whole repository. Three kinds of rules: typescript-eslint's
 * strictest sets, relaxed where they fight idiomatic code (each with its reason); the size limits
 * and habits of the style; and the walls between rooms, which `bans.js` makes from `rooms.cjs`.
 */
import path from "node:path";
import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";
import { banBlocks } from "./bans.js";

const root = path.resolve(import.meta.dirname, "../..");

/** Habits that are forbidden in every TypeScript file of the repository. */
const habits = [
  {
    selector: "ExportDefaultDeclaration",
    message: "Named exports only: one name for one thing everywhere.",
  },
  { selector: "Decorator", message: "No decorators: call a function." },
  { selector: "TSEnumDeclaration", message: "No enums: use a union of string literals." },
  {
    selector: "TSParameterProperty",
    message: "No parameter properties: declare the field.",
  },
  {
    selector:
      ":matches(PropertyDefinition, MethodDefinition)[accessibility='private'][kind!='constructor']",
    message: "Private members are `#name`.",
  },
  {
    selector: "CallExpression[callee.property.name='catch'] > :function[body.body.length=0]",
    message: "A swallowed error is a lost error: handle it, or say in a statement why not.",
  },
  {
    selector: ":matches(ClassDeclaration, ClassExpression)[superClass.name!=/Error$/][superClass]",
    message: "No inheritance but of errors: compose.",
  },
  {
    selector:
      ":matches(ClassDeclaration, TSInterfaceDeclaration)[id.name=/(Impl|Manager|Helper|Utils?)$/]",
    message: "Say what it is: this ending says nothing.",
  },
];

/** What Node 12 cannot parse, and module names that it does not know. */
const tooNewForOldNodes = [
  "ChainExpression",
  "LogicalExpression[operator='??']",
  "AssignmentExpression[operator=/^(\\?\\?=|&&=|\\|\\|=)$/]",
  "PropertyDefinition",
  "PrivateIdentifier",
  "StaticBlock",
  "Program > :not(FunctionDeclaration, ExportNamedDeclaration) AwaitExpression",
  "ImportDeclaration[source.value=/^node:/]",
  "Literal[raw=/^\\d+_/]",
].map((selector) => ({
  selector,
  message: "Node 12 does not know this, and must parse the file.",
}));

/** What strict sets forbid and the style of this repository wants. */
const relaxed = {
  "@typescript-eslint/restrict-template-expressions": [
    "error",
    { allowNumber: true, allowBoolean: true },
  ],
  "@typescript-eslint/no-confusing-void-expression": [
    "error",
    { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
  ],
  // `while (true)` with a return inside reads better than a flag.
  "@typescript-eslint/no-unnecessary-condition": [
    "error",
    { allowConstantLoopConditions: "only-allowed-literals" },
  ],
  // `array[i]!` in a loop that has just checked the bound: a check would be dead code.
  "@typescript-eslint/no-non-null-assertion": "off",
  // Object types that must be assignable to `Value` have to be aliases: interfaces are open.
  "@typescript-eslint/consistent-type-definitions": "off",
  // Interfaces promise promises; their in-memory forms have nothing to await.
  "@typescript-eslint/require-await": "off",
  // The public types carry parameters that are used once, for inference.
  "@typescript-eslint/no-unnecessary-type-parameters": "off",
  // Handlers may return nothing or something.
  "@typescript-eslint/no-invalid-void-type": "off",
  // An index that runs over typed arrays is the point of a hot loop.
  "@typescript-eslint/prefer-for-of": "off",
  "@typescript-eslint/no-empty-function": ["error", { allow: ["arrowFunctions"] }],
  "@typescript-eslint/no-unused-vars": [
    "error",
    { args: "all", argsIgnorePattern: "^_", varsIgnorePattern: "^_", caughtErrors: "all" },
  ],
};

const strict = {
  "@typescript-eslint/no-floating-promises": [
    "error",
    {
      allowForKnownSafeCalls: [
        {
          from: "package",
          package: "node:test",
          name: ["test", "it", "describe", "suite", "before", "after", "beforeEach", "afterEach"],
        },
      ],
    },
  ],
  "@typescript-eslint/switch-exhaustiveness-check": [
    "error",
    { considerDefaultExhaustiveForUnions: true, requireDefaultForNonUnion: true },
  ],
  "@typescript-eslint/consistent-type-imports": "error",
  "@typescript-eslint/consistent-type-exports": "error",
  "@typescript-eslint/no-import-type-side-effects": "error",
  "@typescript-eslint/no-explicit-any": "error",
  eqeqeq: ["error", "always", { null: "ignore" }],
};

const sizes = {
  "max-lines": ["error", { max: 400 }],
  "max-lines-per-function": ["error", { max: 70, skipBlankLines: true, skipComments: true }],
  // A switch over a message union is one decision, however many messages there are.
  complexity: ["error", { max: 12, variant: "modified" }],
  "@typescript-eslint/max-params": ["error", { max: 4 }],
};

export default defineConfig(
  {
    name: "latticework/ignored",
    ignores: ["dist/", "coverage/", "node_modules/", "bench/results/", "docs/", ".cache/"],
  },
  {
    name: "latticework/unused-disables",
    linterOptions: {
      reportUnusedDisableDirectives: "error",
      reportUnusedInlineConfigs: "error",
    },
  },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    name: "latticework/typed",
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: { ...relaxed, ...strict, ...sizes },
  },
  {
    name: "latticework/habits",
    files: ["**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...habits] },
  },
  { name: "latticework/src", files: ["src/**/*.ts"], rules: { "no-console": "error" } },
  { name: "latticework/console", files: ["src/platform/**/*.ts"], rules: { "no-console": "off" } },
  ...banBlocks(habits),
  {
    name: "latticework/around",
    files: ["test/**", "bench/**", "scripts/**", "examples/**"],
    rules: {
      // A `describe` is a chapter, and a test tells its whole story.
      "max-lines-per-function": "off",
      "max-lines": ["error", { max: 600 }],
      complexity: ["error", { max: 20, variant: "modified" }],
    },
  },
  {
    name: "latticework/type-tests",
    files: ["test/types/**"],
    rules: {
      // These files exist to be compiled: they hold statements without effect, and misuses.
      "@typescript-eslint/no-unused-expressions": "off",
      "@typescript-eslint/no-unused-vars": "off",
      "@typescript-eslint/no-floating-promises": "off",
      "@typescript-eslint/unbound-method": "off",
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      "@typescript-eslint/no-redundant-type-constituents": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
  {
    name: "latticework/plain-javascript",
    files: ["**/*.js", "**/*.mjs", "**/*.cjs"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      parserOptions: { projectService: false },
      globals: {
        process: "readonly",
        console: "readonly",
        URL: "readonly",
        setTimeout: "readonly",
        clearTimeout: "readonly",
        setInterval: "readonly",
        clearInterval: "readonly",
      },
    },
    rules: { "@typescript-eslint/switch-exhaustiveness-check": "off" },
  },
  {
    name: "latticework/old-nodes",
    // These run first, on whatever Node is there, and must get as far as saying that it is too old.
    files: ["scripts/start.mjs", "scripts/test.mjs", "scripts/launch/*.mjs"],
    rules: { "no-restricted-syntax": ["error", ...tooNewForOldNodes] },
  },
  {
    name: "latticework/commonjs",
    files: ["**/*.cjs"],
    languageOptions: {
      sourceType: "commonjs",
      globals: {
        require: "readonly",
        module: "writable",
        exports: "writable",
        __dirname: "readonly",
      },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  {
    name: "latticework/no-index-files",
    files: ["**/index.{ts,mts,js,mjs,cjs}"],
    rules: {
      "no-restricted-syntax": [
        "error",
        { selector: "Program", message: "No index files: import a file from where it is." },
      ],
    },
  },
);
