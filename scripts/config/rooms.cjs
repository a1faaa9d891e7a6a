/**
 * The walls of `src/`, as data: who may import whom, and who alone may touch which part of the
 * world. ESLint (`eslint.config.js`) and dependency-cruiser (`layers.cjs`) are both generated from
 * this one table, so that they cannot disagree; `src/README.md` says it in prose.
 *
 * An entry of `imports` is
 *   `room`             everything in the room,
 *   `room/path`        that file (`.ts`) or folder of the room and nothing else of it,
 *   `room (import())`  the room, but only by dynamic import (or by `import type`, which leaves no
 *                      trace in the output),
 *   `!room/path`       an exception to the above.
 * A folder that has its own row (`platform/node`) may do what its room may, and what its row adds;
 * nobody may import such a folder by naming its room unless his row says `room/folder` too.
 *
 * `globals` and `properties` lift bans on names; `builtins` names the modules of Node.js that a
 * room may import (`*` is all but the `guardedBuiltins`); `libraries` are those it alone may use.
 */
const pure = { pure: true };

const allBelowNode = [
  "model",
  "platform",
  "platform/node",
  "codec",
  "definition",
  "wire",
  "ring",
  "state",
  "transport",
  "transport/node",
  "membership",
  "replication",
  "routing",
  "live",
  "functions",
  "storage",
];

const timeAndChance = [
  "Date",
  "performance",
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "MessageChannel",
  "crypto",
  "globalThis",
];

exports.rooms = {
  model: { imports: [], ...pure },
  platform: { imports: ["model"], globals: timeAndChance, libraries: ["nanoid"] },
  "platform/node": {
    imports: [],
    globals: ["process", "Buffer"],
    builtins: ["*", "timers", "timers/promises", "perf_hooks", "crypto", "process"],
    libraries: ["pino"],
  },
  "platform/browser": { imports: [] },
  "platform/virtual": { imports: ["platform/node"] },
  codec: { imports: ["model"], libraries: ["msgpackr"], ...pure },
  definition: { imports: ["model"], ...pure },
  wire: { imports: ["model", "codec"], ...pure },
  ring: { imports: ["model", "codec"], ...pure },
  "ring/candidates": { imports: [], libraries: ["hashring"], ...pure },
  state: { imports: ["model", "codec", "definition"], libraries: ["yjs"], ...pure },
  transport: { imports: ["model", "platform", "wire"] },
  "transport/browser": { imports: [], globals: ["WebSocket"] },
  "transport/node": {
    imports: ["platform/node"],
    globals: ["Buffer"],
    builtins: ["*", "http", "https", "http2", "net", "tls", "dgram"],
    libraries: ["ws"],
  },
  membership: { imports: ["model", "wire"], ...pure },
  replication: { imports: ["model", "wire", "ring", "state"], ...pure },
  routing: { imports: ["model", "wire", "ring/partition"], ...pure },
  live: { imports: ["model", "wire", "state"], ...pure },
  functions: { imports: ["model", "platform", "definition", "state"] },
  storage: {
    imports: ["model", "platform", "platform/node", "codec", "state"],
    globals: ["Buffer"],
    builtins: ["*"],
    libraries: ["lmdb"],
  },
  node: {
    imports: allBelowNode,
    globals: ["Buffer"],
    builtins: ["*"],
    libraries: ["piscina"],
  },
  client: {
    imports: [
      "model",
      "platform",
      "platform/browser",
      "codec",
      "definition",
      "wire",
      "ring/partition",
      "transport",
      "transport/browser",
      "routing",
    ],
  },
  "client/replica": { imports: ["state (import())"] },
  gateway: {
    imports: [
      "model",
      "platform",
      "platform/node",
      "definition",
      "wire",
      "state",
      "transport",
      "transport/node",
      "node",
    ],
    globals: ["Buffer"],
    builtins: ["*"],
    libraries: ["prom-client", "y-protocols", "jose"],
  },
  testing: {
    imports: [...allBelowNode, "platform/virtual", "node", "client", "client/replica"],
    builtins: ["*"],
  },
  cli: {
    imports: [
      "model",
      "platform",
      "platform/node",
      "definition",
      "node",
      "client",
      "client/replica",
      "gateway",
      "testing",
    ],
    globals: ["Buffer"],
    builtins: ["*"],
    libraries: ["commander", "jiti"],
  },
  entry: {
    imports: [
      ...allBelowNode,
      "platform/browser",
      "platform/virtual",
      "transport/browser",
      "node",
      "client",
      "client/replica",
      "gateway",
      "testing",
      "cli",
    ],
    builtins: ["*"],
  },
};

/** Names that stand for time, chance, the process or the network, and what to use instead. */
exports.bannedGlobals = {
  Date: "Take the time as an argument, or ask `Clock`.",
  performance: "Ask `Clock`.",
  setTimeout: "Ask `Timers`.",
  clearTimeout: "Ask `Timers`.",
  setInterval: "Ask `Timers`.",
  clearInterval: "Ask `Timers`.",
  setImmediate: "Ask `Timers.afterPoll`.",
  clearImmediate: "Ask `Timers`.",
  queueMicrotask: "Ask `Timers.defer`.",
  MessageChannel: "Ask `Timers.defer`.",
  crypto: "Ask `Random` or `Ids`.",
  process: "Only `platform/node` knows the process.",
  Buffer: "Use Uint8Array: this room also runs in browsers.",
  fetch: "Only `transport` reaches other machines.",
  WebSocket: "Only `transport/browser` opens the global WebSocket.",
  EventSource: "Only `transport` reaches other machines.",
  XMLHttpRequest: "Only `transport` reaches other machines.",
  globalThis: "Name what you need; the world outside is in `platform`.",
};

/** In pure rooms besides: they decide now and return effects. */
exports.bannedInPureRooms = { Promise: "Pure rooms return effects and never wait." };

/** Modules of Node.js that `builtins: ["*"]` does not include, and what to use instead. */
exports.guardedBuiltins = {
  timers: "Ask `Timers`.",
  "timers/promises": "Ask `Timers`.",
  perf_hooks: "Ask `Clock` or `LoopDelay`.",
  crypto: "Ask `Random` or `Ids`.",
  process: "Only `platform/node` knows the process.",
  http: "Only `transport/node` owns ports.",
  https: "Only `transport/node` owns ports.",
  http2: "Only `transport/node` owns ports.",
  net: "Only `transport/node` owns ports.",
  tls: "Only `transport/node` owns ports.",
  dgram: "Only `transport/node` owns ports.",
};

/** Where `Math.random`, `AbortSignal.timeout` and their like may be called. */
exports.bannedProperties = [
  { object: "Math", property: "random", message: "Ask `Random`." },
  { object: "AbortSignal", property: "timeout", message: "Ask `Timers`." },
  { object: "Atomics", property: "wait", message: "Nothing blocks the event loop." },
  { object: "Atomics", property: "waitAsync", message: "Ask `Timers`." },
];
