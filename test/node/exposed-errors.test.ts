/** What a caller learns of what a handler threw, and what the log keeps, by the node's own choice. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { crdt, defineFunction, LatticeError } from "latticework";
import { connect } from "latticework/client";
import { startNode, type Logger } from "latticework/node";
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
    /** What the handler itself is told of what the other one threw. */
    async tell(ctx): Promise<string> {
      return await ctx
        .get(vault, "inner")
        .unlock()
        .then(
          () => "",
          (error: unknown) => inspect(error, { depth: 8 }),
        );
    },
    send(ctx) {
      ctx.send(vault, "inner").unlock();
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

type Failing = "unlock" | "ask" | "look" | "refuse";

/** A logger that keeps what it is told. */
function keptLog(): { readonly logger: Logger; readonly logged: readonly string[] } {
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
  return { logger, logged };
}

/** Calls `vault/outer` of a node of its own; returns what the caller and the log were told. */
async function failure(
  operation: Failing,
  options: { readonly exposeErrors?: boolean } = {},
  caller: "client" | "node" = "client",
): Promise<{ readonly error: LatticeError; readonly logged: string }> {
  const { logger, logged } = keptLog();
  await using node = await startNode({ functions, listen: { port: 0 }, logger, ...options });
  await using client = await connect<typeof functions>({ nodes: [node.address] });
  const outer = caller === "client" ? client.get("vault", "outer") : node.get("vault", "outer");
  const error: unknown = await outer[operation]().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LatticeError);
  return { error, logged: logged.join("\n") };
}

for (const caller of ["client", "node"] as const) {
  for (const operation of ["unlock", "ask", "look"] as const) {
    test(`a ${caller} does not learn what ${operation} threw, unless it is exposed`, async () => {
      const hidden = await failure(operation, {}, caller);
      assert.equal(hidden.error.code, "handler_error");
      assert.match(hidden.error.message, /^vault\/outer \w+: .*the log of its node says why/);
      assert.doesNotMatch(inspect(hidden.error, { depth: 8 }), /1234/);
      assert.match(hidden.logged, /the password is 1234/);

      const told = await failure(operation, { exposeErrors: true }, caller);
      assert.equal(told.error.code, "handler_error");
      assert.match(told.error.message, /the password is 1234/);
      assert.match(told.logged, /the password is 1234/);
    });
  }
}

test("a handler that asks learns no more than any caller of what the other one threw", async () => {
  for (const exposeErrors of [false, true]) {
    const { logger } = keptLog();
    await using node = await startNode({ functions, listen: { port: 0 }, logger, exposeErrors });
    const told = await node.get("vault", "outer").tell();
    assert.match(told, /handler_error/);
    assert.equal(told.includes("1234"), exposeErrors);
  }
});

test("nor do those who hear that a sent call was refused for good", async () => {
  for (const exposeErrors of [false, true]) {
    const { logger, logged } = keptLog();
    await using node = await startNode({ functions, listen: { port: 0 }, logger, exposeErrors });
    const events = node.events();
    await node.get("vault", "outer").send();
    for await (const event of events) {
      if (event.type !== "outbox.failed") continue;
      assert.equal(event.code, "handler_error");
      assert.equal(event.message.includes("1234"), exposeErrors);
      break;
    }
    assert.match(logged.join("\n"), /the password is 1234/);
  }
});

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
