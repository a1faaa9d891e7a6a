/**
 * `split-merge`: real node processes with a proxy between every two of them. The network splits,
 * handlers on both sides write to the same entities, it heals, and every owner must hold what both
 * sides were told is done. How that goes: `split-episode.ts`.
 *
 * Control: a careless caller on side B sends its degraded calls again after the heal, as new calls,
 * because "degraded may have been lost": texts and counters then hold them twice.
 */
import { fileURLToPath } from "node:url";
import type { Sides } from "../support/proxied-network.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { runEpisode, type Episode, type EpisodeEnd } from "./split-episode.ts";
import { missing } from "./tally-verdict.ts";

const functionsFile = fileURLToPath(new URL("functions/notes.ts", import.meta.url));

interface Scale {
  readonly sides: Sides;
  readonly keys: number;
  readonly lengthMs: number;
  readonly how: "black-hole" | "reset";
}

const full: Scale = {
  sides: [
    [0, 1, 2],
    [3, 4],
  ],
  keys: 40,
  lengthMs: 20_000,
  how: "black-hole",
};
const smoke: Scale = { sides: [[0, 1], [2]], keys: 6, lengthMs: 3_000, how: "reset" };

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const { sides, keys, lengthMs, how } = isSmoke ? smoke : full;
  const nodes = sides.flat().length;
  say(`starting ${nodes} node processes with ${nodes * (nodes - 1)} proxies between them`);
  const cluster = await RealCluster.start({
    ...{ nodes, functionsFile, proxied: true },
    ...(isSmoke ? smokeCluster : {}),
  });
  try {
    await cluster.balanced();
    say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: all copies in place`);
    const episode: Episode = {
      ...{ name: "split-merge", sides, keys, lengthMs, standing: "apart", keepWriting: false },
      break: {
        begin: (network) => network.split(sides, how),
        end: (network) => {
          network.heal();
        },
      },
      ...(control ? { afterwards: (load, written) => load.sendDegradedAgain(written) } : {}),
    };
    return verdictOf(await runEpisode(cluster, episode, say));
  } finally {
    await cluster.close();
  }
}

function verdictOf({ judgement, grown, records, ...seen }: EpisodeEnd): Verdict {
  const { counts, faults } = judgement;
  const some = (name: string): boolean => (counts[name] ?? 0) > 0;
  return {
    counts: {
      "connections cut": seen.connectionsCut,
      "noticed by both sides after (ms)": Math.round(seen.noticedMs),
      "length of the split (ms)": Math.round(seen.lengthMs),
      "at rest after the heal (ms)": Math.round(seen.restMs),
      takeovers: grown.takeovers,
      "degraded answers": grown.degradedReplies,
      "forked commits merged": grown.forksMerged,
      ...counts,
    },
    figures: Object.entries(faults).map(([name, value]) => none(name, value)),
    provedNothing: missing([
      ["no connection was cut", seen.connectionsCut > 0],
      ["nobody answered degraded", grown.degradedReplies > 0],
      ["no fork was merged", grown.forksMerged > 0],
      ["no text was edited on both sides", some("texts edited on both sides")],
      ["the minority side was not asked", some("ledger calls of the minority side")],
      ["no copy was compared", some("copies compared")],
    ]),
    records,
  };
}

export const proof: Proof = {
  control: "a careless caller sends its degraded calls again after the heal, as new calls",
  run,
};
