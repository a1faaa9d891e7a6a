/** Controls of M3: verdicts known to be wrong, and verdicts that faults excuse. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultLedger } from "../../src/testing/simulation/fault-ledger.ts";
import { Violations } from "../../src/testing/simulation/invariants.ts";
import { simulatedFunctions } from "../../src/testing/simulation/simulated-functions.ts";
import { VerdictWatch } from "../../src/testing/simulation/verdict-watch.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";

interface Court {
  readonly cluster: SimulatedCluster;
  readonly ledger: FaultLedger;
}

/** What is found when n1 declares n2 dead after the story has been told for a minute and more. */
async function verdictAfter(story: (court: Court) => Promise<void>): Promise<number> {
  const cluster = await SimulatedCluster.create({ functions: simulatedFunctions(), seed: 1 });
  for (const id of ["n1", "n2", "n3"]) cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
  const ledger = new FaultLedger(cluster, false, () => undefined);
  await cluster.time.sleep(60_000);
  await story({ cluster, ledger });
  const violations = new Violations();
  const watch = new VerdictWatch(cluster, ledger, violations);
  watch.look([{ by: "n1", about: ["n2"], at: cluster.time.now }]);
  return violations.found.filter(({ invariant }) => invariant === "M3").length;
}

async function stall({ cluster, ledger }: Court, id: string, durationMs: number): Promise<void> {
  cluster.pause(id);
  ledger.stall(id, durationMs, () => {
    cluster.resume(id);
  });
  await cluster.time.sleep(durationMs + 5_000);
}

test("who is sound, or stalled for a moment, must not be declared dead", async () => {
  assert.equal(await verdictAfter(() => Promise.resolve()), 1);
  assert.equal(await verdictAfter((court) => stall(court, "n2", 2_000)), 1);
});

test("a stall of the accuser, however long, is no excuse", async () => {
  assert.equal(await verdictAfter((court) => stall(court, "n1", 30_000)), 1);
});

test("a long stall of the accused, and any fault of the network, excuse a verdict", async () => {
  assert.equal(await verdictAfter((court) => stall(court, "n2", 8_000)), 0);
  const troubled = await verdictAfter(({ ledger }) => {
    ledger.networkTrouble();
    return Promise.resolve();
  });
  assert.equal(troubled, 0);
});

test("a moment's stall excuses a verdict where nobody else was there to pass the answer on", async () => {
  const wrong = await verdictAfter(async (court) => {
    court.cluster.pause("n3");
    court.ledger.stall("n3", 4_000, () => {
      court.cluster.resume("n3");
    });
    await stall(court, "n2", 2_000);
  });
  assert.equal(wrong, 0);
});

test("who came after the accuser had fallen silent could not pass the suspicion on", async () => {
  const story = (isRestarted: boolean) => async (court: Court) => {
    const { cluster, ledger } = court;
    const stalled = stall(court, "n2", 3_000);
    await cluster.time.sleep(2_000);
    cluster.pause("n1");
    ledger.stall("n1", 30_000, () => {
      cluster.resume("n1");
    });
    if (isRestarted) {
      cluster.crash("n3");
      await cluster.time.sleep(100);
      cluster.start("n3", { join: ["n2"] });
    }
    await stalled;
    await cluster.time.sleep(26_000);
  };
  assert.equal(await verdictAfter(story(true)), 0);
  assert.equal(await verdictAfter(story(false)), 1, "n3 was there all the time");
});
