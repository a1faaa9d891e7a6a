/** What user code throws may throw again when it is looked at: it must not get further than that. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { logThrown } from "../../src/functions/turn-failures.ts";
import { pinoLogger } from "../../src/platform/node/pino-logger.ts";
import { TurnStage } from "../support/turn-stage.ts";

function trap(): Error {
  const lookedAt = (): never => {
    throw new Error("looked at");
  };
  return new Proxy(new Error("trap"), { get: lookedAt, has: lookedAt, getPrototypeOf: lookedAt });
}

const hostile = defineFunction({
  handlers: {
    throwTrap() {
      throw trap();
    },
    throwObject() {
      throw Object.assign(new Error(), { message: { not: "a text" } });
    },
    fine: () => "fine",
  },
});

test("a handler whose error throws when it is looked at has failed like any other", () => {
  const stage = new TurnStage({ hostile }, { exposeErrors: true });
  const call = stage.call("hostile/a throwTrap");
  assert.ok(call.outcome?.type === "failed");
  assert.equal(call.outcome.error.code, "handler_error");
  assert.match(call.outcome.error.message, /threw: something that throws when it is looked at$/);
  assert.equal(stage.call("hostile/a throwObject").end, "handler_error");
  assert.equal(stage.call("hostile/a fine").end, '"fine"');
  assert.equal(stage.turns.inFlightCount, 0);
});

test("the log says that it cannot be shown", () => {
  const lines: string[] = [];
  const logger = pinoLogger({ stream: { write: (line: string) => void lines.push(line) } });
  logThrown(logger, "a handler or query failed", trap());
  assert.equal(lines.length, 1);
  const { msg, error } = JSON.parse(lines[0] ?? "") as { readonly msg: string; error: string };
  assert.equal(msg, "a handler or query failed");
  assert.equal(error, "something that throws when it is looked at");
});
