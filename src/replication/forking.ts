/** Rules 17 and 18: how a fork gets into the stream of the next primary. */
import type { ProcessId } from "../model/ids.ts";
import type { PartitionMessage } from "../wire/replication-messages.ts";
import { commitId } from "./fork.ts";
import type { CommitId } from "./fork.ts";
import { presentProcesses } from "./owner-changes.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { limits, timing } from "./timing.ts";

/** Sends the next part of the fork to whoever leads, or asks who does. */
export function flushFork<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  s.forkAt = Infinity;
  if (s.degraded !== undefined && s.reign === undefined) askPrimary(s, now);
  if (s.fork === undefined || s.degraded !== undefined) return;
  const commits = s.fork.chunk();
  if (s.reign !== undefined) {
    s.reign.merge(s.self, commits, commits.map(commitId), now);
    return;
  }
  s.forkAt = now + timing.forkRetryMs;
  const { peers } = s.options;
  if (s.primary !== "" && peers.reachable(s.primary)) {
    s.outlet.send(s.primary, { type: "forked", commits });
    return;
  }
  for (const process of presentProcesses(s.table, s.self, peers)) s.hello(process);
}

/** Degraded although its primary is within reach: whoever leads sends a base, or says who does. */
export function askPrimary<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  const { peers } = s.options;
  s.forkAt = now + timing.forkRetryMs;
  if (s.primary !== "" && peers.reachable(s.primary)) s.hello(s.primary);
  else s.forkAt = Infinity;
}

/** A primary takes a fork's commits into its stream; a full one waits for the retry. */
export function onForked<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { commits }: Extract<PartitionMessage, { type: "forked" }>,
  now: number,
): void {
  const { reign, copy } = s;
  if (reign === undefined || copy === undefined) {
    s.hello(from); // the sender follows an old hint
    return;
  }
  if (copy.tailCount >= limits.tailCommits || reign.isMerging(from)) return;
  reign.merge(from, commits, commits.map(commitId), now);
}

/** They are committed: only now may the fork forget them. */
export function onMerged<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  commits: readonly CommitId[],
  now: number,
): void {
  if (s.fork === undefined) return;
  const count = s.fork.merged(commits);
  if (count > 0) s.outlet.emit({ type: "fork-merged", commits: count });
  if (s.fork.commitCount > 0) flushFork(s, now);
  else if (s.degraded === undefined) {
    s.fork = undefined;
    s.forkAt = Infinity;
  }
}
