/**
 * Seeded random walks over the real `Replica`: faults for a while, then everything heals, and what
 * was promised is checked (P1–P7 of the replication protocol). From the command line:
 *
 *   node --import tsx test/replication/walk.ts <first seed> <count>      or   … <seed> trace
 */
import { isSlate } from "./support/slates.ts";
import { seeded, World } from "./support/world.ts";
import type { Call } from "./support/world.ts";

export interface WalkResult {
  readonly violation: string | undefined;
  readonly world: World;
  readonly degradedCount: number;
}

const kinds = [
  "suspect",
  "trust",
  "cut",
  "oneWay",
  "link",
  "crash",
  "restart",
  "pause",
  "resume",
  "table",
  "hand",
  "read",
  "compare",
  "stroke",
  "reap",
  "time",
] as const;
type Weights = Record<(typeof kinds)[number], number>;
type Choice = [weight: number, event: () => boolean];
type Offer = (weight: number, event: () => boolean) => void;

/** One run; the same seed gives the same run. */
export function walk(seed: number, log?: (line: string) => void): WalkResult {
  const random = seeded(seed * 7919 + 13);
  const size = 2 + (seed % 5);
  const replicas = Math.min(size, seed % 11 === 0 ? 5 : seed % 7 === 0 ? 2 : 3);
  const table = Array.from({ length: replicas }, (_, i) => i);
  const world = new World(size, table, random);
  world.log = log;
  const callCount = 2 + (seed % 4);
  for (let call = 0; call < callCount; call++) {
    const acks = random() < 0.7 ? 2 : random() < 0.3 ? "all" : 1 + Math.floor(random() * 3);
    world.calls.push({
      call,
      entity: `f/${String(call % 2)}`,
      willing: seed % 3 !== 0,
      acks,
      attempt: 0,
      consent: false,
      answer: undefined,
      sent: false,
    });
  }
  if (random() < 0.85) settle(world, 2000, () => world.isHealthy() && isIdle(world));
  world.armed = world.isHealthy();
  const weights = {} as Weights;
  for (const kind of kinds) {
    weights[kind] = random() < 0.4 ? 0 : 2 ** (Math.floor(random() * 6) - 4);
  }
  weights.stroke = Math.max(weights.stroke, 0.25);
  weights.reap = Math.max(weights.reap, 0.25);
  weights.link = Math.max(weights.link, 0.25);
  weights.resume = Math.max(weights.resume, 0.1);
  weights.restart = Math.max(weights.restart, 0.06);
  weights.time = Math.max(weights.time, 0.25);
  const faultRate = 2 ** (-random() * 6);
  const length = 150 + (seed % 5) * 80;
  for (let step = 0; step < length; step++) {
    const choices = offers(world, weights, faultRate, replicas);
    let total = 0;
    for (const [weight] of choices) total += weight;
    let at = random() * total;
    const event = choices.find(([weight]) => (at -= weight) <= 0);
    event?.[1]();
    world.now += random() < 0.9 ? random() * 2 : random() * 60;
  }
  const degradedCount = world.calls.filter(({ answer }) => answer === "degraded").length;
  log?.("---- heal");
  return { violation: heal(world) ?? check(world), world, degradedCount };
}

function offers(world: World, w: Weights, rate: number, replicas: number): Choice[] {
  const { size } = world;
  const choices: Choice[] = [];
  const add = (weight: number, event: () => boolean): void => {
    if (weight > 0) choices.push([weight, event]);
  };
  for (let i = 0; i < size; i++) {
    const process = world.process(i);
    for (let j = 0; j < size; j++) {
      if ((world.queues[i]?.[j]?.length ?? 0) > 0) add(1, () => world.deliver(i, j));
      if (i === j || !process.up) continue;
      const suspected = world.suspects[i]?.[j] === true;
      if (suspected) add((w.trust * rate) / 2, () => world.suspect(i, j, false));
      else add((w.suspect * rate) / size, () => world.suspect(i, j, true));
      if (world.connected(i, j)) {
        if (i < j) add((w.cut * rate) / size, () => world.cut(i, j, true));
        add((w.oneWay * rate) / size / 2, () => world.cut(i, j, false));
      } else if (i < j) add(w.link * Math.max(rate, 0.1), () => world.link(i, j));
    }
    offerFaults(world, i, { w, rate }, add);
  }
  offerClients(world, add);
  add(w.table * rate * 0.2, () => changeTable(world, replicas));
  add(w.time * 0.5, () => {
    world.now = Math.max(world.now, Math.min(nextTickAt(world), world.now + 2000));
    return true;
  });
  return choices;
}

function offerClients(world: World, add: Offer): void {
  add(0.7, () => world.compared.step(world));
  for (let index = 0; index < world.requests.length; index++) add(0.7, () => world.run(index));
  for (let index = 0; index < world.answers.length; index++) {
    add(0.5, () => world.answer(index, false));
    add(0.1, () => world.answer(index, true));
  }
  for (const call of world.calls) {
    if (call.answer !== undefined || call.attempt >= 5) continue;
    const at = Math.floor(world.random() * world.size);
    add(call.sent ? 0.1 : 0.15, () => world.send(call, at));
  }
}

/** What may befall one process. */
function offerFaults(
  world: World,
  i: number,
  { w, rate }: { readonly w: Weights; readonly rate: number },
  add: Offer,
): void {
  const process = world.process(i);
  if (!process.up) {
    add(w.restart * rate * 2, () => world.restart(i));
    return;
  }
  if (world.armed) add(w.crash * rate, () => world.crash(i));
  if (process.paused) add(w.resume * rate * 2, () => resume(world, i));
  else add(w.pause * rate, () => world.pause(i, true));
  if (process.replica.nextTickAt <= world.now) add(0.5, () => world.tick(i));
  add(w.read * 0.1, () => world.read(i, "f/0"));
  add(w.read * 0.1, () => world.readFresh(i, "f/0"));
  add(0.1, () => world.compared.begin(world, i, "f/0"));
  add(0.05, () => world.catchUp(i, Math.floor(world.random() * world.size)));
  add(w.hand * rate * 0.2, () => world.handOver(i));
  add(w.compare * 0.05, () => world.compare(i));
  add(w.stroke * 0.4, () => world.slates.stroke(world, i));
  add(w.reap * 0.8, () => world.slates.reap(world, i));
  if (process.table !== world.table) add(0.3, () => world.learn(i));
}

/** It is asked at once: others may have taken over while it slept, and it has not heard of that. */
function resume(world: World, i: number): boolean {
  const isResumed = world.pause(i, false);
  if (isResumed) for (const entity of ["f/0", "f/1"]) world.readFresh(i, entity);
  return isResumed;
}

function changeTable(world: World, replicas: number): boolean {
  const pool = Array.from({ length: world.size }, (_, i) => i);
  const table: number[] = [];
  while (table.length < replicas) {
    table.push(...pool.splice(Math.floor(world.random() * pool.length), 1));
  }
  world.table = table;
  return true;
}

function nextTickAt(world: World): number {
  let next = Infinity;
  for (const { up, paused, replica } of world.processes) {
    if (up && !paused) next = Math.min(next, replica.nextTickAt);
  }
  return next;
}

function isIdle(world: World): boolean {
  return (
    world.requests.length === 0 &&
    world.answers.length === 0 &&
    world.queues.every((row) => row.every((queue) => queue.length === 0))
  );
}

/** Everything is repaired; then nothing but fair scheduling until all is quiet. */
function heal(world: World): string | undefined {
  const { size } = world;
  for (let i = 0; i < size; i++) {
    world.restart(i);
    world.pause(i, false);
  }
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      world.suspect(i, j, false);
      if (i < j) world.link(i, j);
    }
    world.learn(i);
  }
  const quiet = settle(world, 30_000, () => isQuiet(world));
  if (quiet) return undefined;
  const states = world.processes.map((_, i) => world.show(i));
  return `P3 not quiet at ${world.now.toFixed(0)} ms: ${why(world)}\n${states.join("\n")}`;
}

function settle(world: World, steps: number, done: () => boolean): boolean {
  const { random, size } = world;
  const until = world.now + 300_000;
  for (let step = 0; step < steps && world.now < until; step++) {
    const events: (() => boolean)[] = [];
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        if ((world.queues[i]?.[j]?.length ?? 0) > 0) events.push(() => world.deliver(i, j));
      }
      if (world.process(i).replica.nextTickAt <= world.now) events.push(() => world.tick(i));
    }
    for (let at = 0; at < world.requests.length; at++) events.push(() => world.run(at));
    for (let at = 0; at < world.answers.length; at++) events.push(() => world.answer(at, false));
    if (events.length > 0) {
      (events[Math.floor(random() * events.length)] as () => boolean)();
      world.now += random();
      continue;
    }
    if (done()) return true;
    const waiting = world.calls.filter(
      (call: Call) => call.sent && call.answer === undefined && call.attempt < 1000,
    );
    if (random() < 0.1) for (let i = 0; i < size; i++) world.compare(i);
    for (const call of waiting) world.send(call, Math.floor(random() * size));
    world.now = Math.max(world.now + 5, Math.min(nextTickAt(world), world.now + 1000));
  }
  return done();
}

function why(world: World): string {
  const i = world.primary();
  if (i < 0) return "no primary";
  const { replica } = world.process(i);
  const owners = [...(replica.owners?.processes ?? [])].sort().join();
  const wanted = world.table.map((j) => world.process(j).id).sort();
  if (world.processes.filter(({ replica: at }) => at.role === "primary").length > 1) return "two";
  if (owners !== wanted.join()) return `owners ${owners}, table ${wanted.join()}`;
  if ((replica.owners?.previous.length ?? 0) > 0) return "owner change not committed";
  if (i !== world.table[0]) return "primary is not the first of the table";
  if (world.processes.some(({ replica: at }) => at.forkCommits > 0)) return "fork not merged";
  if (nextTickAt(world) < Infinity) return "timers are running";
  if (world.calls.some(({ sent, answer }) => sent && answer === undefined)) return "calls wait";
  if (!world.isLevel()) return "not healthy";
  return isIdle(world) ? "" : "messages";
}

function isQuiet(world: World): boolean {
  return why(world) === "";
}

/** P1, P2, P5–P7, P9 (what was deleted is not back) and that all owners hold the same. */
function check(world: World): string | undefined {
  const primary = world.process(world.primary()).replica;
  const held = new Map<string, string>();
  for (const name of primary.entityNames()) {
    const entity = primary.committedEntity(name);
    for (const [id, says] of isSlate(name) ? [] : (entity?.commits ?? [])) {
      held.set(`${name} ${id}`, says);
    }
    for (const j of world.table) {
      const { replica } = world.process(j);
      const there = replica.committedEntity(name);
      const same = [...(there?.commits.keys() ?? [])].sort().join();
      if (same !== [...(entity?.commits.keys() ?? [])].sort().join()) {
        return `P3 owners differ in ${name}: ${world.process(j).id}`;
      }
      if (replica.digest !== primary.digest) return "P3 digests differ";
    }
  }
  if (world.divergedCount > 0) return "P3 copies diverged within a term";
  const gone = world.slates.problem((name) => primary.committedEntity(name));
  return gone ?? checkCalls(world, held) ?? checkPromises(world, held);
}

/** P1d, P2 and P6: how often each call took effect. */
function checkCalls(world: World, held: ReadonlyMap<string, string>): string | undefined {
  const effects = new Map<number, number>();
  for (const says of held.values()) {
    const call = Number(says.split("#")[0]);
    effects.set(call, (effects.get(call) ?? 0) + 1);
    if (world.notRun.has(says)) return `P6 answered unavailable but took effect: ${says}`;
  }
  for (const call of world.calls) {
    const count = effects.get(call.call) ?? 0;
    if (count > 1 && !call.consent) {
      return `P2 call ${String(call.call)} took effect ${String(count)} times`;
    }
    if (call.answer === "degraded" && count === 0 && !world.anyCrash) {
      return `P1d degraded call ${String(call.call)} lost though nothing crashed`;
    }
  }
  return undefined;
}

/** P1, P5 and P7: what was answered, read or watched is still there; and no read was older than asked. */
function checkPromises(world: World, held: ReadonlyMap<string, string>): string | undefined {
  const [stale] = world.staleReads;
  if (stale !== undefined) return `P10 a linearizable read did not show ${stale}`;
  const [missed] = world.compared.stale;
  if (missed !== undefined) return `P11 a read of a majority did not show ${missed}`;
  for (const [id, call] of world.acknowledged) {
    if (held.get(id)?.startsWith(`${String(call)}#`) !== true) {
      return `P1 acknowledged call ${String(call)} lost (${id})`;
    }
  }
  for (const id of world.seen) if (!held.has(id)) return `P5 dirty read of ${id}`;
  for (const id of world.committed) if (!held.has(id)) return `P7 known-committed ${id} is gone`;
  return undefined;
}

function main(first: number, rest: string | undefined): void {
  if (rest === "trace") {
    const { violation } = walk(first, (line) => console.log(line));
    console.log(violation ?? "no violation");
    return;
  }
  const count = Number(rest ?? "1000");
  const found = new Map<string, number[]>();
  let crashes = 0;
  let takeovers = 0;
  let degraded = 0;
  let merged = 0;
  let reaped = 0;
  let refused = 0;
  let acknowledged = 0;
  let compared = 0;
  const text = new Map<string, string>();
  for (let seed = first; seed < first + count; seed++) {
    const { violation, world, degradedCount } = walk(seed);
    crashes += world.crashCount;
    takeovers += world.takeoverCount;
    degraded += degradedCount;
    merged += world.mergedCount;
    reaped += world.slates.reapedCount;
    refused += world.slates.refusedCount;
    acknowledged += world.acknowledged.size;
    compared += world.compared.doneCount;
    if (violation === undefined) continue;
    const kind = violation.slice(0, 3).trim();
    found.set(kind, [...(found.get(kind) ?? []), seed]);
    if (!text.has(kind)) text.set(kind, `seed ${String(seed)}: ${violation}`);
  }
  console.log(
    `seeds ${String(first)}..${String(first + count - 1)}: ${String(crashes)} crashes, ` +
      `${String(takeovers)} primaries, ${String(acknowledged)} acknowledged, ` +
      `${String(degraded)} degraded answers, ${String(merged)} fork commits merged, ` +
      `${String(reaped)} reapings, ${String(refused)} late commits refused, ` +
      `${String(compared)} reads of a majority`,
  );
  for (const [kind, seeds] of found) {
    console.log(`${kind}: ${String(seeds.length)} (${seeds.slice(0, 8).join(" ")})`);
  }
  for (const line of text.values()) console.log(line);
  if (found.size > 0) process.exitCode = 1;
}

if (process.argv[1]?.endsWith("walk.ts") === true)
  main(Number(process.argv[2] ?? "1"), process.argv[3]);
