/**
 * `hostile-handlers`: a real node process runs handlers that throw, pass their deadline, keep their
 * context, change their input, return what is no value, leak rejections and ask themselves. Of each it
 * is seen that the state is as before, that the caller is told the exact code, and that the key serves
 * the next call; and in the end that the same process still runs.
 *
 *   prepared key ─▶ the copy before ─▶ hostile call ─▶ what it left behind ─▶ the copy after ─▶ next call
 *
 * Control: what a handler changed before it threw is committed.
 */
import { isDeepStrictEqual } from "node:util";
import { LatticeError, type HandleOf } from "latticework";
import { connect, type Client } from "latticework/client";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { Plant } from "../support/plant.ts";
import type { Functions } from "./functions/hostile.ts";
import { exactly, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

const functionsFile = "test/proof/functions/hostile.ts";
/** Of handlers that never end; long enough for them to begin on a busy machine. */
const shortTimeoutMs = 3_000;
const lateTimeoutMs = 30_000;
const input = { list: [1, 2, 3] };

type Handle = HandleOf<Functions, "hostile">;

interface Case {
  readonly name: string;
  readonly call: (handle: Handle) => Promise<unknown>;
  /** The code of the failure, or "ok". */
  readonly code: string;
  /** What the call has to answer, or its refusal to carry. */
  readonly answer?: unknown;
  /** What a late use of the context has to throw. */
  readonly late?: "cancelled";
  /** What is printed by a process that outlives it. */
  readonly printed?: RegExp;
}

const leaked = /a handler left a rejected promise behind/g;
const wentOn = /a handler went on after its turn/g;
const late = "cancelled";

const cases: readonly Case[] = [
  { name: "throws after ten changes", call: (h) => h.throwAfterChanges(), code: "handler_error" },
  { name: "throws later", call: (h) => h.throwLater(), code: "handler_error" },
  { name: "throws undefined", call: (h) => h.throwNothing(), code: "handler_error" },
  { name: "throws what throws", call: (h) => h.throwTrap(), code: "handler_error" },
  {
    name: "passes its deadline",
    call: (h) => h.with({ timeoutMs: shortTimeoutMs }).passDeadline(),
    code: "deadline_exceeded",
  },
  {
    name: "passes its deadline and goes on",
    call: (h) => h.with({ timeoutMs: shortTimeoutMs }).passDeadlineAndGoOn(),
    code: "deadline_exceeded",
    late,
  },
  { name: "keeps its context", call: (h) => h.keepContext(), code: "ok", late },
  { name: "keeps a field", call: (h) => h.keepField(), code: "ok", late },
  { name: "writes later, uncaught", call: (h) => h.writeLate(), code: "ok", printed: wentOn },
  { name: "changes its input", call: (h) => h.changeInput(input), code: "handler_error" },
  {
    name: "changes what it stored",
    call: (h) => h.changeStoredInput(input),
    code: "ok",
    answer: input,
  },
  { name: "lends its input", call: (h) => h.lendInput(input), code: "ok", answer: input },
  { name: "returns a cycle", call: (h) => h.returnCycle(), code: "invalid_argument" },
  { name: "returns a BigInt", call: (h) => h.returnBigInt(), code: "invalid_argument" },
  { name: "returns 2 MiB", call: (h) => h.returnTooMuch(), code: "too_large" },
  { name: "returns what throws", call: (h) => h.returnTrap(), code: "handler_error" },
  { name: "leaks a rejection", call: (h) => h.leakRejection(), code: "ok", printed: leaked },
  {
    name: "leaks a rejection and throws",
    call: (h) => h.leakAndThrow(),
    code: "handler_error",
    printed: leaked,
  },
  { name: "asks itself", call: (h) => h.askItself(), code: "handler_error" },
  {
    name: "asks itself and tells",
    call: (h) => h.askItselfAndTell(),
    code: "failed_precondition",
    answer: { code: "invalid_argument" },
  },
];

/** Of one case in all rounds. */
interface Outcome {
  readonly hostile: Case;
  /** As the figure says, each once. */
  readonly seen: Set<string>;
  runs: number;
}

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const rounds = smoke ? 1 : targets.hostileHandlers.rounds;
  const plant = control ? careless() : undefined;
  const node = await NodeProcess.start(["--port", "0", "--functions", functionsFile], {
    root: plant?.root,
  });
  const client = await connect<Functions>({ nodes: [node.address] });
  try {
    const stage = new Stage(node, client);
    const before = await node.status();
    say(`pid ${node.pid}: ${cases.length} kinds of hostile handlers`);
    const outcomes = cases.map((hostile): Outcome => ({ hostile, seen: new Set(), runs: 0 }));
    for (let round = 0; round < rounds; round++) {
      await Promise.all(outcomes.map((outcome, n) => stage.tryOne(outcome, `${n}-${round}`)));
      await stage.printed(round + 1);
    }
    say(`${rounds} rounds are over`);
    const after = await node.status();
    return {
      counts: {
        rounds,
        "hostile calls": rounds * cases.length,
        pid: node.pid,
        "calls in flight at the end": after.callsInFlight,
      },
      figures: [
        ...outcomes.map(({ hostile, seen }) =>
          exactly(hostile.name, [...seen].join("; "), figureOf(hostile)),
        ),
        none("restarts of the node", before.boot === after.boot ? 0 : 1),
        none("links that the client lost", after.clients === 1 ? 0 : 1),
        none("turns that still run", after.callsInFlight),
      ],
      provedNothing: outcomes.some(({ runs }) => runs < rounds)
        ? "a hostile handler did not run"
        : undefined,
      records: [],
    };
  } finally {
    await client.close();
    await node.kill();
    plant?.remove();
  }
}

/** What was changed by a handler that threw is committed. */
function careless(): Plant {
  const plant = Plant.create();
  const file = "src/functions/turn-runner.ts";
  plant.change(
    file,
    "    turn.revoke();\n    const error = this.#errorOf(turn, thrown);\n",
    "    const kept = turn.draft?.finish(this.#services.settings.retireAt);\n" +
      "    turn.revoke();\n    const error = this.#errorOf(turn, thrown);\n",
  );
  plant.change(
    file,
    "      this.#confirmFailure(turn, error);\n",
    "      this.#releaseFailure(turn, error, kept);\n",
  );
  return plant;
}

/** What is seen when all is well. */
function figureOf({ code, answer, late: lateCode }: Case): string {
  const parts = [code];
  if (answer !== undefined) parts.push(JSON.stringify(answer));
  if (lateCode !== undefined) parts.push(`late: ${lateCode}`);
  return parts.join(", ");
}

class Stage {
  readonly #node: NodeProcess;
  readonly #client: Client<Functions>;

  constructor(node: NodeProcess, client: Client<Functions>) {
    this.#node = node;
    this.#client = client;
  }

  async tryOne(outcome: Outcome, key: string): Promise<void> {
    const { hostile, seen } = outcome;
    const handle = this.#client.get("hostile", key);
    await handle.prepare();
    const before = await this.#plain(key);
    const parts = await endOf(hostile, handle);
    if (hostile.late !== undefined) parts.push(`late: ${await this.#lateCode(key)}`);
    if (!isDeepStrictEqual(await this.#plain(key), before)) parts.push("state changed");
    await handle.add(1);
    if ((await handle.count()) !== 1) parts.push("the next call found another state");
    outcome.runs += (await handle.aftermath()).runs;
    seen.add(parts.join(", "));
  }

  /** Everything that so many rounds have to leave behind is in the log of the process. */
  async printed(rounds: number): Promise<void> {
    for (const pattern of [leaked, wentOn]) {
      const count = cases.filter(({ printed }) => printed === pattern).length;
      await until(
        `the process tells ${count * rounds} times: ${pattern.source}`,
        lateTimeoutMs,
        () => {
          return (this.#node.output.match(pattern)?.length ?? 0) >= count * rounds;
        },
      );
    }
  }

  /** What the process holds of it, as a watcher would get it. */
  async #plain(key: string): Promise<unknown> {
    const [copy] = await this.#node.copies([{ functionName: "hostile", key }]);
    return copy?.plain;
  }

  async #lateCode(key: string): Promise<string> {
    let code = "";
    await until("the handler has used its context again", lateTimeoutMs, async () => {
      code = (await this.#client.get("hostile", key).aftermath()).late;
      return code !== "";
    });
    return code;
  }
}

async function endOf({ call, answer }: Case, handle: Handle): Promise<string[]> {
  try {
    const value = await call(handle);
    return answer === undefined ? ["ok"] : ["ok", JSON.stringify(value)];
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    const { code, data } = error;
    return answer === undefined ? [code] : [code, JSON.stringify(data)];
  }
}

export const proof: Proof = {
  control: "what a handler changed before it threw is committed",
  run,
};
