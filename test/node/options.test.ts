/** What `startNode` refuses, by the name of the option and with what it takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNodeOptions, type NodeOptions } from "../../src/node/options.ts";
import { silentLogger } from "../../src/platform/silent-logger.ts";
import { refuses } from "../support/refuses.ts";
import { functions } from "./support/functions.ts";

/** As plain JavaScript would call it. */
const check = checkNodeOptions as (options: unknown) => unknown;

test("options that are none are refused with how to write them", () => {
  for (const options of [undefined, null, 7400, []]) {
    refuses(() => check(options), "invalid_argument", /startNode\(\{ functions \}\)/);
  }
});

const wrong: readonly (readonly [Record<string, unknown>, RegExp])[] = [
  [{ functions: undefined }, /functions must be an object of definitions by name/],
  [{ functions: [] }, /functions must be an object/],
  [{ functions: { cart: {} } }, /functions\.cart was not made by defineFunction/],
  [{ joins: [] }, /unknown option 'joins' \(did you mean 'join'\?\)/],
  [{ dataDir: "/tmp" }, /unknown option 'dataDir'/],
  [{ cluster: 5 }, /cluster name of type number/],
  [{ nodeId: "a b" }, /"a b"/],
  [{ listen: 7400 }, /listen must be an object such as \{ port: 7400 \}/],
  [{ listen: { prot: 7400 } }, /unknown option 'prot' \(did you mean 'port'\?\)/],
  [{ listen: { host: 127 } }, /listen\.host must be a string, got 127/],
  [{ listen: { port: "7400" } }, /listen\.port must be an integer from 0 to 65535, got 7400/],
  [{ join: "ws://127.0.0.1:7400" }, /join must be a list of addresses, such as/],
  [{ join: ["127.0.0.1:7400"] }, /join: "127.0.0.1:7400" is no address like ws:/],
  [{ advertise: "http://127.0.0.1:7400" }, /advertise: .* is no address like ws:/],
  [{ minNodes: 0 }, /minNodes must be an integer from 1 to 10000, got 0/],
  [{ zone: 5 }, /zone must be a string of at most 128/],
  [{ zone: "z".repeat(129) }, /zone must be a string of at most 128/],
  [{ weight: 0.05 }, /weight must be a multiple of 0\.1 from 0\.1 to 10, got 0\.05/],
  [{ replicas: 8 }, /replicas must be an integer from 1 to 7, got 8/],
  [{ acks: "most" }, /acks must be an integer from 1 to 7, got most/],
  [{ exposeErrors: 1 }, /exposeErrors must be true or false, got 1/],
  [{ logger: "loud" }, /logger must be one of debug, info, .*; got loud/],
  [{ logger: { info: () => 1 } }, /an object with the methods debug, info, warn, error, child/],
];
for (const [options, message] of wrong) {
  test(`startNode refuses ${JSON.stringify(options)}`, () => {
    refuses(() => check({ functions, ...options }), "invalid_argument", message);
  });
}

test("what is not said has its default", () => {
  const { functions: given, ...defaults } = checkNodeOptions({ functions });
  assert.equal(given, functions);
  assert.deepEqual(defaults, {
    cluster: "default",
    nodeId: undefined,
    host: "127.0.0.1",
    port: 7400,
    advertise: undefined,
    join: [],
    minNodes: 1,
    zone: "",
    weight: 1,
    replicas: 3,
    acks: undefined,
    exposeErrors: false,
    partitionCount: 1024,
    joinWaitMs: 3_000,
    leaveBudgetMs: 30_000,
    membership: undefined,
    buggify: undefined,
  });
});

test("a logger is a level, silence, or an object of one's own", () => {
  const loggers: NodeOptions["logger"][] = ["debug", "error", "silent", silentLogger];
  for (const logger of loggers) checkNodeOptions({ functions, ...(logger && { logger }) });
});
