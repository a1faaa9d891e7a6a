/** What a caller learns of what a handler threw, and what the log keeps, by the node's own choice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { crdt, defineFunction, LatticeError } from "latticework";
import { connect } from "latticework/client";
import { startNode, type Logger, type NodeOptions } from "latticework/node";
import { checkNodeOptions } from "../../src/node/options.ts";
import { refuses } from "../support/refuses.ts";

const vault = defineFunction({
  state: { opened: crdt.counter() },
  handlers: {
    unlock() {
      throw new Error("the password is 1234");
    },
    async ask(ctx) {
      await ctx.get(vault, "inner").unlock();
    },
    refuse(ctx) {
      return ctx.fail("permission_denied", "not for you");
    },
  },
  queries: {
    look() {
      throw new TypeError("the password is 1234");
    },
  },
});
const functions = { vault };

/** Calls `vault/outer` of a node of its own; returns what the caller and the log were told. */
async function failure(
  operation: "unlock" | "ask" | "look" | "refuse",
  options: Partial<NodeOptions> = {},
): Promise<{ readonly error: LatticeError; readonly logged: string }> {
  const logged: string[] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>): void => {
    logged.push(message, ...Object.values(fields ?? {}).map(String));
  };
  const logger: Logger = {
    level: "info",
    debug: () => undefined,
    info: () => undefined,
    warn: log,
    error: log,
    child: () => logger,
  };
  await using node = await startNode({ functions, listen: { port: 0 }, logger, ...options });
  await using client = await connect<typeof functions>({ nodes: [node.address] });
  const outer = client.get("vault", "outer");
  const error: unknown = await outer[operation]().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LatticeError);
  return { error, logged: logged.join("\n") };
}

for (const operation of ["unlock", "ask", "look"] as const) {
  test(`callers do not learn what ${operation} threw, unless the node exposes it`, async () => {
    const hidden = await failure(operation);
    assert.equal(hidden.error.code, "handler_error");
    assert.match(hidden.error.message, /^vault\/outer \w+: .*the log of its node says why/);
    assert.doesNotMatch(inspect(hidden.error, { depth: 8 }), /1234/);
    assert.match(hidden.logged, /the password is 1234/);

    const told = await failure(operation, { exposeErrors: true });
    assert.equal(told.error.code, "handler_error");
    assert.match(told.error.message, /the password is 1234/);
    assert.match(told.logged, /the password is 1234/);
  });
}

test("a refusal is meant for the caller, and reaches it either way", async () => {
  const { error } = await failure("refuse");
  assert.deepEqual(
    [error.code, error.message],
    ["permission_denied", "vault/outer refuse: not for you"],
  );
});

test("exposeErrors is false unless it is said, and nothing but true or false", () => {
  assert.equal(checkNodeOptions({ functions }).exposeErrors, false);
  assert.equal(checkNodeOptions({ functions, exposeErrors: true }).exposeErrors, true);
  refuses(
    () => checkNodeOptions({ functions, exposeErrors: "yes" as unknown as boolean }),
    "invalid_argument",
    /startNode: exposeErrors must be true or false, got yes/,
  );
});
