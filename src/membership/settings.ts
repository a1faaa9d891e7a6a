/**
 * Every number of the membership room, with the formula it enters and what raising it costs. The
 * defaults are those of memberlist's LAN profile, moved where a Node process differs from a Go one:
 * it stalls for hundreds of milliseconds now and then, and it speaks over streams. A faster profile
 * (500 / 250 ms) declared nodes dead that had only stalled for 2 s; do not go there.
 */
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";

export interface MembershipSettings {
  /**
   * One member is probed per `probeIntervalMs × (health + 1)`. Raising it slows the discovery of a
   * silent loss (about one interval, plus the suspicion, which is a multiple of it).
   * @default 1000
   */
  readonly probeIntervalMs: number;
  /**
   * Least time a probe waits for the direct answer before helpers are asked:
   * `clamp(4 × p99 round trip, probeTimeoutMs, probeTimeoutMsMax) × (health + 1)`.
   * @default 500
   */
  readonly probeTimeoutMs: number;
  /**
   * Bound of the adaptive part above. Without one, a single stalled member that answers late
   * would teach everybody to wait ever longer for everybody.
   * @default 2000
   */
  readonly probeTimeoutMsMax: number;
  /**
   * Members asked to probe on one's behalf: `min(helperCount, n − 2)`. Each costs four messages
   * per failed probe.
   * @default 3
   */
  readonly helperCount: number;
  /**
   * Up to so many members everybody is linked to everybody, and probes whose turn it is; above,
   * whom it is linked to. Raising it above what links are kept for costs a new link per probe.
   * @default 100
   */
  readonly fullMeshCountMax: number;
  /**
   * Above `fullMeshCountMax` one probe in so many goes to whose turn it is, linked or not. Raising it
   * leaves members to whom nobody has a link unnoticed for longer.
   * @default 8
   */
  readonly unlinkedProbePeriod: number;
  /**
   * Members that a node probes on every second turn, always the same while nobody comes or goes: each
   * member is so probed by as many others within `2 × watchedCount` intervals. Raising it makes that
   * longer; below three a suspicion waits for confirmations by chance.
   * @default 3
   */
  readonly watchedCount: number;
  /**
   * Least suspicion: `suspicionFactor × max(1, log10 n) × probeIntervalMs`. A node that stalls for
   * less than this is never declared dead; a silent loss takes that much longer to be known.
   * @default 4
   */
  readonly suspicionFactor: number;
  /**
   * Longest suspicion, of a single accuser: `suspicionMaxFactor × least suspicion`.
   * @default 6
   */
  readonly suspicionMaxFactor: number;
  /**
   * Independent confirmations that shrink the longest suspicion to the least one. Raising it asks
   * for more agreement before a verdict.
   * @default 2
   */
  readonly confirmationCount: number;
  /**
   * Pause between rounds of gossip while there is news; without news nothing is sent.
   * @default 200
   */
  readonly gossipIntervalMs: number;
  /**
   * Members told in one round. Costs `gossipFanOut` messages per round per node with news.
   * @default 3
   */
  readonly gossipFanOut: number;
  /**
   * Each piece of news is sent `retransmitFactor × ceil(log10(n + 1))` times by each node, or
   * more often for the sake of `retransmitMargin`.
   * @default 4
   */
  readonly retransmitFactor: number;
  /**
   * Each piece of news is sent at least `min(n − 1, ln n + retransmitMargin)` times: gossip alone
   * then misses somebody with a probability of about `e^−retransmitMargin`. Raising it costs
   * messages of every node for every piece of news.
   * @default 9
   */
  readonly retransmitMargin: number;
  /**
   * Pause between comparisons of whole tables with one random member, times
   * `ceil(log2 n − 5) + 1` above 32 members. One digest a time when nothing differs.
   * @default 30000
   */
  readonly pushPullIntervalMs: number;
  /**
   * From the moment enough nodes saw hard evidence until the subject is declared dead. Leaves a
   * process that changed its listener or a restarted node the time to be dialled again.
   * @default 1000
   */
  readonly evidenceDelayMs: number;
  /**
   * Nodes that must have seen hard evidence; one suffices in clusters of three and fewer.
   * @default 2
   */
  readonly evidenceWitnessCount: number;
  /**
   * After this long, evidence that too few nodes saw is forgotten.
   * @default 10000
   */
  readonly evidenceLifeMs: number;
  /**
   * Members told of one's own hard evidence: half of them are where all witnesses of one subject
   * meet (the next by id), half are random.
   * @default 4
   */
  readonly evidenceFanOut: number;
  /**
   * Worst health score; probe interval and timeout grow up to `healthMax + 1` times.
   * @default 8
   */
  readonly healthMax: number;
  /**
   * Event-loop delay (p99) above which the health score rises by one.
   * @default 250
   */
  readonly loopDelayMs: number;
  /**
   * Event-loop delay (p99) above which the health score rises by three.
   * @default 1000
   */
  readonly loopDelayMsSevere: number;
  /**
   * A verdict this late means that this process itself stalled: the answer may already lie in its
   * sockets, so they are read first. Raising it lets small stalls cause false verdicts.
   * @default 50
   */
  readonly verdictLatenessMs: number;
  /**
   * How long dead and left members are remembered: for their boot ids and for the heal loop.
   * @default 86400000 (24 h)
   */
  readonly recordLifeMs: number;
  /**
   * Dead and left members remembered at most; the oldest go first.
   * @default 10000
   */
  readonly recordCountMax: number;
  /**
   * All members known at most, living and not. News of further ones is ignored and reported.
   * @default 20000
   */
  readonly memberCountMax: number;
  /**
   * Pause between attempts to find a lost part of the cluster.
   * @default 30000
   */
  readonly healIntervalMs: number;
  /**
   * An attempt is made with probability `min(1, healFactor / n)`: so many dials per interval in
   * the whole cluster, whatever its size.
   * @default 3
   */
  readonly healFactor: number;
  /**
   * Pause between dials of all join addresses while this node knows nobody.
   * @default 1000
   */
  readonly joinRetryMs: number;
  /**
   * A dead member stays in the placement set this long, so that a quick restart moves no data.
   * @default 10000
   */
  readonly reassignDelayMs: number;
  /**
   * A member that was started so often in a row, without having left in order, rests: it takes no
   * partitions for a while. Each of its comebacks before that copies its share to it, and each death
   * away again; a lower one takes more nodes out that only had bad luck. Above 15 nobody ever rests.
   * @default 3
   */
  readonly flapCountMin: number;
  /**
   * Time a member rests after it came back: `flapRestMs × 2^(restarts − flapCountMin)`, at most
   * `flapRestMsMax`. Raising it leaves the others its share of the load and of the memory for longer.
   * @default 60000
   */
  readonly flapRestMs: number;
  /**
   * Bound of the formula above.
   * @default 600000 (10 min)
   */
  readonly flapRestMsMax: number;
  /**
   * A restart counts when the life before has ended within this time; a member that has been up for so
   * long counts from 0 again. Raising it makes rare crashes count as a row.
   * @default 600000 (10 min)
   */
  readonly flapMemoryMs: number;
  /**
   * How long a known node may take to show life when a newcomer claims its id.
   * @default 2000
   */
  readonly duplicateWaitMs: number;
  /**
   * Statements of one message in bytes, estimated from above; control frames hold 16 KiB.
   * @default 16000
   */
  readonly messageBytesMax: number;
  /**
   * Most statements in one message.
   * @default 512
   */
  readonly messageMembersMax: number;
  /**
   * Probes made for others at once; beyond it helpers decline.
   * @default 256
   */
  readonly relayCountMax: number;
  /**
   * News waiting to be gossiped, one per subject; beyond it the most repeated is dropped
   * (push/pull repairs).
   * @default 4096
   */
  readonly newsCountMax: number;
  /**
   * Round trips of which the p99 is taken.
   * @default 100
   */
  readonly roundTripCount: number;
}

const minuteMs = 60_000;
/** What a message needs besides its statements: type, sequence, target, frame header. */
const messageOverheadBytes = 384;

export const defaultMembershipSettings: MembershipSettings = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  probeTimeoutMsMax: 2000,
  helperCount: 3,
  fullMeshCountMax: 100,
  unlinkedProbePeriod: 8,
  watchedCount: 3,
  suspicionFactor: 4,
  suspicionMaxFactor: 6,
  confirmationCount: 2,
  gossipIntervalMs: 200,
  gossipFanOut: 3,
  retransmitFactor: 4,
  retransmitMargin: 9,
  pushPullIntervalMs: 30_000,
  evidenceDelayMs: 1000,
  evidenceWitnessCount: 2,
  evidenceLifeMs: 10_000,
  evidenceFanOut: 4,
  healthMax: 8,
  loopDelayMs: 250,
  loopDelayMsSevere: 1000,
  verdictLatenessMs: 50,
  recordLifeMs: 24 * 60 * minuteMs,
  recordCountMax: 10_000,
  memberCountMax: 20_000,
  healIntervalMs: 30_000,
  healFactor: 3,
  joinRetryMs: 1000,
  reassignDelayMs: 10_000,
  flapCountMin: 3,
  flapRestMs: minuteMs,
  flapRestMsMax: 10 * minuteMs,
  flapMemoryMs: 10 * minuteMs,
  duplicateWaitMs: 2000,
  messageBytesMax: limits.controlMessageBytesMax - messageOverheadBytes,
  messageMembersMax: limits.membersPerMessageMax,
  relayCountMax: 256,
  newsCountMax: 4096,
  roundTripCount: 100,
};

/**
 * The defaults with `changes` over them.
 * @throws LatticeError `invalid_argument` naming a setting that is not a positive finite number
 */
export function membershipSettings(changes: Partial<MembershipSettings> = {}): MembershipSettings {
  const settings = { ...defaultMembershipSettings, ...changes };
  for (const [name, value] of Object.entries(settings)) {
    if (!Number.isFinite(value) || value <= 0) {
      throw new LatticeError(
        "invalid_argument",
        `membership setting ${name} is ${String(value)}: give a finite number above 0`,
      );
    }
  }
  return settings;
}
