/**
 * Two writes of each of some registers, of which a clock has to say which one is the later: the first
 * by a node that is alone, the second, after all of those were answered, by the others without it.
 *
 *   others stop ─▶ it writes, without a majority ─▶ it stops, others go on ─▶ they write ─▶ it goes on
 *
 * What it wrote becomes part of the history when it meets the others, and is then concurrent with what
 * they wrote: the stamps decide.
 */
import type { Reply } from "latticework";
import { connect, type Client } from "latticework/client";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import type { RecordFile } from "../support/record-file.ts";
import type { RealCluster } from "../support/real-cluster.ts";
import { Recorder } from "../support/recorder.ts";
import type { Functions } from "./functions/tallies.ts";
import type { RaceStory } from "./judges/clock-story.ts";
import type { ProofOptions } from "./proof.ts";

export interface Race {
  /** Writes first. */
  readonly alone: NodeProcess;
  /** Names the registers and what is written. */
  readonly name: string;
  readonly registers: number;
}

export interface RaceEnd {
  readonly story: readonly RaceStory[];
  /** First writes that were answered without a majority. */
  readonly degraded: number;
  /** Second writes that were answered with one, by node. */
  readonly answeredBy: ReadonlyMap<string, number>;
}

const keysTriedMax = 100_000;
const writeTimeoutMs = 60_000;
const restTimeoutMs = 60_000;

type Side = "earlier" | "later";

export async function race(
  cluster: RealCluster,
  record: RecordFile,
  { alone, name, registers }: Race,
  say: ProofOptions["say"],
): Promise<RaceEnd> {
  const others = cluster.nodes.filter((node) => node !== alone);
  const { partitions } = cluster;
  const keys = await keysOwnedBy(alone, { name, count: registers, partitions });
  const recorder = new Recorder(record);
  // Each client stays with one node, which forwards: it does not step over to the other side.
  const first = await connect<Functions>({ nodes: [alone.address], direct: false });
  for (const node of others) node.signal("SIGSTOP");
  const earlier = await writeAll(first, recorder, keys, "earlier");
  await first.close();
  alone.signal("SIGSTOP");
  for (const node of others) node.signal("SIGCONT");
  say(`${name}: ${alone.id} wrote alone and stands still, the others go on`);
  const second = await connect<Functions>({ nodes: [others[0]!.address], direct: false });
  const later = await writeAll(second, recorder, keys, "later");
  await second.close();
  alone.signal("SIGCONT");
  await cluster.atRest(restTimeoutMs);
  say(`${name}: all have met and hold the same`);
  const answeredBy = new Map<string, number>();
  for (const answer of later) {
    if (answer?.degraded === false) {
      answeredBy.set(answer.node, (answeredBy.get(answer.node) ?? 0) + 1);
    }
  }
  const held = await heldBy(cluster, keys);
  const story = keys.map((key, index) => ({
    key,
    earlier: valueOf("earlier", key),
    later: valueOf("later", key),
    isDecided: earlier[index] !== undefined && later[index] !== undefined,
    held: held.get(key) ?? {},
  }));
  const degraded = earlier.filter((answer) => answer?.degraded === true).length;
  return { story, degraded, answeredBy };
}

function valueOf(side: Side, key: string): string {
  return `${side} ${key}`;
}

interface KeysWanted {
  readonly name: string;
  readonly count: number;
  readonly partitions: number;
}

/** Of a node that stood still before, others may lead everything for a while; it owns what it did. */
async function keysOwnedBy(
  node: NodeProcess,
  { name, count, partitions }: KeysWanted,
): Promise<string[]> {
  const owned = new Set<number>();
  for (const { partition, owners } of await node.partitions()) {
    if (owners.includes(node.id)) owned.add(partition);
  }
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++) {
    if (n >= keysTriedMax) throw new Error(`${node.id} owns none of ${String(n)} keys`);
    const key = `${name}-${String(n)}`;
    if (owned.has(partitionOf("latest", key, partitions))) keys.push(key);
  }
  return keys;
}

/** The answers, in the order of the keys; `undefined` for a call that failed. */
async function writeAll(
  client: Client<Functions>,
  recorder: Recorder,
  keys: readonly string[],
  side: Side,
): Promise<({ readonly degraded: boolean; readonly node: string } | undefined)[]> {
  const records = await Promise.all(
    keys.map((key) => {
      const input = valueOf(side, key);
      const call = { call: input, functionName: "latest", key, operation: "set", input };
      const handle = client.get("latest", key).with({ timeoutMs: writeTimeoutMs, reply: "full" });
      return recorder.make({ ...call, from: side }, (): Promise<Reply<unknown>> =>
        handle.set(input),
      );
    }),
  );
  return records.map(({ answer }) => (answer.type === "ok" ? answer : undefined));
}

async function heldBy(
  cluster: RealCluster,
  keys: readonly string[],
): Promise<ReadonlyMap<string, RaceStory["held"]>> {
  const held = new Map<string, RaceStory["held"]>();
  const wanted = keys.map((key) => ({ functionName: "latest", key }));
  for await (const [{ key }, copies] of cluster.ownersCopies(wanted)) {
    const values = [...copies].map(([node, copy]) => {
      const plain = copy?.plain as { readonly value?: string } | undefined;
      return [node, plain?.value ?? null] as const;
    });
    held.set(key, Object.fromEntries(values));
  }
  return held;
}
