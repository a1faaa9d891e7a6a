/**
 * One simulated run: a cluster is started, called and hurt; then all faults stop, and everything
 * must come to rest and be right. A function of its seed, and of nothing else.
 *
 *   birth ─▶ safety phase (calls, faults, looks) ─▶ liveness phase (heal, rest, call all) ─▶ judge
 */
import type { EntityName } from "../../model/ids.ts";
import { partitionOf } from "../../ring/partition.ts";
import type { Entity } from "../../state/entity.ts";
import { jitteryLink } from "../simulated-network.ts";
import { SimulatedCluster } from "../simulated-cluster.ts";
import { timersWaiting, unrest, viewsDiffer } from "../unrest.ts";
import { askAcross } from "./crossing-asks.ts";
import { lookAt } from "./entity-look.ts";
import { Faults } from "./faults.ts";
import { recordingLogger, type LoggedRecords } from "./logged-records.ts";
import { LostBatches } from "./lost-batches.ts";
import { SessionCalls } from "./session-calls.ts";
import type { History } from "./history.ts";
import { Violations, type Violation } from "./invariants.ts";
import { judge } from "./judge.ts";
import { Observer } from "./observer.ts";
import { RelayCalls } from "./relay-calls.ts";
import { reportOf, virtualMsMin, type RunReport } from "./run-report.ts";
import { scenarioOf, type Scenario } from "./scenario.ts";
import { simulatedFunctions, type Look } from "./simulated-functions.ts";
import { StormWatch } from "./storm-watch.ts";
import { Transcript } from "./transcript.ts";
import { Workload, type SimulatedClient } from "./workload.ts";

export interface SimulationOptions {
  /** Keep what happened as lines. @default false */
  readonly isReadable?: boolean;
}

export interface SimulationResult {
  readonly report: RunReport;
  readonly violations: readonly Violation[];
  /** Something that is no named invariant: an exception. */
  readonly problem: string | undefined;
  /** Faults, in order. */
  readonly events: readonly string[];
  /** Everything, message by message; the end of it if there is too much. */
  readonly transcript: readonly string[];
}

const birthLimitMs = 30_000;
const viewsLimitMs = 60_000;
const restLimitMs = 150_000;
const successLimitMs = 30_000;
const restPollMs = 50;
const echoMs = 500; // for watchers and tables to follow
/** Runs a seed. Never throws for what happens inside the run: the result says it. */
export async function simulate(
  seed: number,
  options: SimulationOptions = {},
): Promise<SimulationResult> {
  const scenario = scenarioOf(seed);
  const run = await Simulation.create(scenario, options.isReadable ?? false);
  return run.perform();
}

interface Setting {
  readonly scenario: Scenario;
  readonly cluster: SimulatedCluster;
  readonly records: LoggedRecords;
  readonly lost: LostBatches;
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #cluster: SimulatedCluster;
  readonly #violations = new Violations();
  readonly #transcript: Transcript;
  readonly #records: LoggedRecords;
  readonly #lost: LostBatches;
  #relays: RelayCalls | undefined;

  private constructor({ scenario, cluster, records, lost }: Setting, isReadable: boolean) {
    this.#scenario = scenario;
    this.#cluster = cluster;
    this.#records = records;
    this.#lost = lost;
    this.#transcript = new Transcript(() => cluster.time.now, isReadable);
    const storms = new StormWatch(() => cluster.time.now, this.#violations);
    cluster.network.listen((from, to, frame, connection) => {
      storms.frame();
      this.#transcript.frame(from, to, frame, connection);
    });
  }

  static async create(scenario: Scenario, isReadable: boolean): Promise<Simulation> {
    const { seed, replicas, partitionCount, latencyMs } = scenario;
    const lost = new LostBatches(seed, scenario.lostShare);
    const records: LoggedRecords = { defects: [], verdicts: [] };
    const cluster = await SimulatedCluster.create({
      functions: simulatedFunctions(),
      seed,
      replicas,
      partitionCount,
      buggify: { ...scenario.buggify, losesBatch: () => lost.next() },
      membership: scenario.rest,
      logger: (node) => recordingLogger(node, records, () => cluster.time.now),
      verifyFrames: seed % 8 === 0,
      link: jitteryLink(latencyMs, 0.3),
    });
    return new Simulation({ scenario, cluster, records, lost }, isReadable);
  }

  async perform(): Promise<SimulationResult> {
    const { time } = this.#cluster;
    let problem: string | undefined;
    let parts: { faults: Faults; workload: Workload; observer: Observer } | undefined;
    try {
      await this.#birth();
      const clients = await this.#connect();
      const workload = new Workload(this.#cluster, this.#scenario, clients);
      const sessions = new SessionCalls(this.#cluster, this.#scenario, workload);
      this.#relays = new RelayCalls(this.#cluster, this.#scenario, workload);
      const faults = new Faults({
        cluster: this.#cluster,
        scenario: this.#scenario,
        clients: clients.map((_, index) => `client-${String(index + 1)}`),
        note: (text) => {
          this.#transcript.note(text);
        },
        entities: workload.entities,
        call: (entity, count, withinMs) => {
          workload.burst(entity, count, withinMs);
        },
        resumed: sessions.readInside,
      });
      const observer = new Observer(this.#cluster, faults, this.#violations, {
        verdicts: this.#records.verdicts,
        isLossy: this.#scenario.lostShare > 0,
      });
      parts = { faults, workload, observer };
      workload.start();
      sessions.start();
      this.#relays.start(clients);
      this.#lost.begin();
      faults.start();
      observer.start();
      await time.sleep(this.#scenario.durationMs);
      workload.end();
      faults.stop();
      this.#lost.end();
      await this.#recover(workload, faults, observer);
    } catch (error) {
      problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    return {
      report: reportOf({
        scenario: this.#scenario,
        cluster: this.#cluster,
        violations: this.#violations,
        lostBatches: this.#lost.count,
        hash: this.#transcript.hash,
        ...(parts ?? {}),
      }),
      violations: this.#violations.found,
      problem,
      events: this.#transcript.events,
      transcript: this.#transcript.lines,
    };
  }

  async #birth(): Promise<void> {
    const ids = Array.from({ length: this.#scenario.nodeCount }, (_, i) => `n${String(i + 1)}`);
    for (const id of ids) this.#cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
    const isAtRest = await this.#rest(birthLimitMs);
    this.#violations.check("P3", isAtRest, () => `at birth: ${this.#whyNotAtRest() ?? ""}`);
  }

  async #connect(): Promise<SimulatedClient[]> {
    const { clientCount, unprotectedShare, buggify } = this.#scenario;
    const clients: SimulatedClient[] = [];
    const nodes = [...this.#cluster.lives.keys()];
    const wanted = Array.from({ length: clientCount }, () => true);
    if (unprotectedShare > 0 || buggify.tombstoneMs !== undefined) wanted.push(false);
    for (const isProtected of wanted) {
      const name = `client-${String(clients.length + 1)}`;
      const connecting = this.#cluster.connect<unknown>(nodes, { protection: isProtected });
      clients.push({ name, isProtected, client: await this.#cluster.time.settled(connecting) });
    }
    return clients;
  }

  /** The liveness phase and the judgement. */
  async #recover(workload: Workload, faults: Faults, observer: Observer): Promise<void> {
    const { time } = this.#cluster;
    const healedAt = time.now;
    for (const call of workload.callAll(successLimitMs)) {
      void this.#whenAnswered(call);
    }
    const viewsAt = time.now + viewsLimitMs;
    await time.run({ untilAt: viewsAt, condition: () => this.#viewsAreEqual() });
    this.#violations.check("M2", this.#viewsAreEqual(), () => this.#viewProblem());
    await this.#judgeRest(healedAt);
    faults.settled();
    await time.run({
      untilAt: time.now + successLimitMs,
      condition: () => workload.unansweredCount === 0 && this.#relays?.unansweredCount === 0,
    });
    await askAcross(this.#cluster, this.#scenario, workload, this.#violations);
    this.#judgeAnswers(workload, healedAt);
    await time.sleep(Math.max(echoMs, virtualMsMin - time.now));
    // The last calls may have been answered, or have run late, since all was at rest.
    await this.#judgeRest(healedAt);
    const final = await this.#readAll(workload);
    // Meanwhile the role of a partition may be on its way home.
    await this.#judgeRest(healedAt);
    observer.look();
    this.#judgeCopies();
    observer.judgeCommitted((name) => this.#committed(name));
    judge(this.#history(workload, faults), final, this.#violations);
    await this.#judgeWatchers(workload, final);
    const found = this.#records.defects;
    this.#violations.check("B2", found.length === 0, () => found.join("; "));
  }

  async #judgeRest(healedAt: number): Promise<void> {
    const isAtRest = await this.#rest(restLimitMs);
    this.#violations.check("P3", isAtRest, () => {
      const waited = String(Math.round(this.#cluster.time.now - healedAt));
      return `${waited} ms after the faults stopped: ${this.#whyNotAtRest() ?? ""}`;
    });
  }

  async #whenAnswered(call: { readonly answer: unknown }): Promise<void> {
    await this.#cluster.time.run({ condition: () => call.answer !== undefined });
  }

  #viewsAreEqual(): boolean {
    return this.#viewProblem() === "";
  }

  #viewProblem(): string {
    const { lives } = this.#cluster;
    for (const { id, state, node } of lives.values()) {
      if (state === "fatal" || (state === "up" && node === undefined)) return `${id} is ${state}`;
    }
    return viewsDiffer(this.#cluster.running().map(({ parts }) => parts)) ?? "";
  }

  #whyNotAtRest(): string | undefined {
    const problem = this.#viewProblem();
    const nodes = this.#cluster.running();
    return problem === "" ? (unrest(nodes) ?? timersWaiting(nodes)) : problem;
  }

  async #rest(limitMs: number): Promise<boolean> {
    const { time } = this.#cluster;
    const untilAt = time.now + limitMs;
    while (time.now < untilAt) {
      if (this.#whyNotAtRest() === undefined) return true;
      await time.sleep(restPollMs);
    }
    return false;
  }

  #judgeAnswers(workload: Workload, healedAt: number): void {
    for (const { id, answer, sentAt, timeoutMs, functionName, key } of workload.allCalls) {
      const name = `call ${id} of ${functionName}/${key}`;
      this.#violations.check("C7", answer !== undefined, () => `${name} has no answer`);
      if (answer?.type === "ok") {
        const { hops } = answer;
        this.#violations.check("P4", hops <= 3, () => `${name} took ${String(hops)} hops`);
      }
      if (sentAt < healedAt || timeoutMs !== successLimitMs) continue;
      this.#violations.check("L1", answer?.type === "ok", () => {
        const how = answer?.type === "failed" ? `${answer.code}: ${answer.message}` : "not at all";
        return `${name}, sent when the faults had stopped, was answered ${how}`;
      });
    }
  }

  /** Reads every entity that was ever called, through a fresh client whose table is current. */
  async #readAll(workload: Workload): Promise<Map<string, Look>> {
    const { time } = this.#cluster;
    const nodes = this.#cluster.running().map(({ identity }) => identity.id);
    const client = await time.settled(this.#cluster.connect<unknown>(nodes));
    await time.sleep(echoMs);
    const final = new Map<string, Look>();
    const reads = [...workload.entities, ...workload.slates].map(async ([functionName, key]) => {
      const name = `${functionName}/${key}`;
      try {
        let look = await lookAt(client, [functionName, key], successLimitMs);
        // While its link is being opened, or the primary goes home, a call is passed on.
        for (let again = 0; again < 2 && look.hops !== 1; again++) {
          await this.#pause(echoMs);
          look = await lookAt(client, [functionName, key], successLimitMs);
        }
        const { value, hops } = look;
        final.set(name, value);
        this.#violations.check("P4", hops === 1, () => `${name} was read in ${String(hops)} hops`);
      } catch (error) {
        this.#violations.check("L1", false, () => `${name} cannot be read: ${String(error)}`);
      }
    });
    await time.settled(Promise.all(reads));
    return final;
  }

  /** For code that runs beside what drives the time. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#cluster.time.timers.after(ms, resolve));
  }

  /** C1: all owners of a partition hold the same entities with the same contents. */
  #judgeCopies(): void {
    const nodes = this.#cluster.running();
    for (let partition = 0; partition < this.#cluster.partitionCount; partition++) {
      const leader = nodes.find(({ parts }) => parts.partitions.isPrimary(partition));
      const owners = leader?.parts.partitions.replica(partition)?.owners?.processes ?? [];
      const copies = nodes
        .filter(({ parts }) => owners.includes(parts.self))
        .map(({ identity, parts }) => ({
          id: identity.id,
          text: contentsOf(parts.partitions.replica(partition)),
        }));
      const other = copies.find(({ text }) => text !== copies[0]?.text);
      this.#violations.check("C1", other === undefined, () => {
        const who = `${copies[0]?.id ?? ""} and ${other?.id ?? ""}`;
        return `partition ${String(partition)}: ${who} differ: ${copies[0]?.text ?? ""} / ${other?.text ?? ""}`;
      });
    }
  }

  /** C8. A watcher whose node died unheard notices when its link has been silent for a while. */
  async #judgeWatchers(workload: Workload, final: ReadonlyMap<string, Look>): Promise<void> {
    const { time } = this.#cluster;
    const watchers = [...workload.watched.keys()];
    await time.run({
      untilAt: time.now + successLimitMs,
      condition: () =>
        watchers.every((watcher) => missedBy(workload, watcher, final) === undefined),
    });
    for (const watcher of watchers) {
      const missed = missedBy(workload, watcher, final);
      this.#violations.check("C8", missed === undefined, () => missed ?? "");
    }
  }

  #committed(name: EntityName): Entity | undefined {
    const slash = name.indexOf("/");
    const { partitionCount } = this.#cluster;
    const partition = partitionOf(name.slice(0, slash), name.slice(slash + 1), partitionCount);
    for (const { parts } of this.#cluster.running()) {
      if (!parts.partitions.isPrimary(partition)) continue;
      return parts.partitions.replica(partition)?.committedEntity(name);
    }
    return undefined;
  }

  #history(workload: Workload, faults: Faults): History {
    const wasDegraded = this.#cluster.allLives.some(
      ({ node }) => (node?.parts.turns.degradedReplyCount ?? 0) > 0,
    );
    return {
      calls: workload.calls,
      slateCalls: workload.slateCalls,
      relays: this.#relays?.records ?? [],
      replicas: this.#scenario.replicas,
      shown: workload.shown,
      lossy: faults.lossy,
      wasDegraded,
      endCount: faults.endCount,
      handedOnAt: workload.handedOnAt,
    };
  }
}

/** What a watcher should have been shown by now. */
function missedBy(
  workload: Workload,
  watcher: string,
  final: ReadonlyMap<string, Look>,
): string | undefined {
  const { entity, ids = [] } = workload.watched.get(watcher) ?? {};
  const name = entity?.join("/") ?? "";
  const known = Object.keys(final.get(name)?.effects ?? {});
  const missing = known.find((id) => !ids.includes(id));
  return missing && `a watcher of ${name} was not shown call ${missing}`;
}

type Partitions = ReturnType<SimulatedCluster["running"]>[number]["parts"]["partitions"];

function contentsOf(replica: ReturnType<Partitions["replica"]>): string {
  const parts: string[] = [];
  for (const name of replica?.entityNames() ?? []) {
    const entity = replica?.committedEntity(name);
    if (entity !== undefined) {
      parts.push(`${name} ${String(entity.digest)} ${String(entity.contentHash())}`);
    }
  }
  return parts.sort().join(", ");
}
