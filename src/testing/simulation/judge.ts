/**
 * Judges a run by its history and the final state of every entity: nothing acknowledged is lost,
 * nothing took effect twice, nothing that was refused did, and so on (`invariants.ts`).
 *
 * What a caller may expect depends on what it agreed to. A function that refuses to serve a split is
 * held to everything; one that serves is held to what its callers were told.
 */
import type { CallRecord, FinalState, History } from "./history.ts";
import { clockToleranceMs, type Violations } from "./invariants.ts";
import { judgeRelays } from "./relay-judge.ts";
import { judgeSessions } from "./session-judge.ts";
import {
  askedId,
  endedId,
  firedId,
  passedId,
  sentId,
  type SimulatedFunctionName,
} from "./simulated-functions.ts";

export function judge(history: History, final: FinalState, violations: Violations): void {
  const judgement = new Judgement(history, final, violations);
  for (const call of history.calls) judgement.judgeCall(call);
  judgement.judgeShown();
  judgement.judgeOrder();
  judgement.judgeEntities();
  judgement.judgeRegisters();
  judgement.judgeSlates();
  judgeSessions(history, violations);
  judgeRelays(history.relays, {
    final,
    isStrict: (name) => judgement.isStrict(name),
    isLossy: history.lossy.length > 0,
    violations,
  });
}

class Judgement {
  readonly #history: History;
  readonly #final: FinalState;
  readonly #violations: Violations;

  constructor(history: History, final: FinalState, violations: Violations) {
    this.#history = history;
    this.#final = final;
    this.#violations = violations;
  }

  judgeCall(call: CallRecord): void {
    const { answer } = call;
    if (answer === undefined || call.operation === "seen") return;
    const count = this.#effects(call.functionName, call.key, call.id);
    const what = (): string =>
      `${nameOf(call)} was answered ${answerOf(call)} and took effect ${String(count)} times`;
    // A chain may fail behind its first stage.
    if (answer.type === "failed" && !answer.indeterminate && call.operation !== "pass") {
      this.#violations.check("P6", count === 0, what);
    }
    if (this.#mustStay(call)) this.#violations.check("P1", count >= 1, what);
    if (!this.#mayDouble(call)) this.#violations.check("P2", count <= 1, what);
    if (call.operation === "send") this.#judgeSends(call, count);
    if (call.operation === "ask") this.#judgeAsks(call, count);
    if (call.operation === "pass") this.#judgeChain(call, count);
    if (call.operation === "arm") this.#judgeTimer(call, count);
  }

  /** What a reply or a watcher showed is still there. */
  judgeShown(): void {
    for (const call of this.#history.calls) {
      const { answer } = call;
      if (answer?.type !== "ok" || !this.#mustStayVisible(answer.degraded, answer.at)) continue;
      if (call.acks === 1) continue;
      const gone = answer.seen.find((id) => this.#effects(call.functionName, call.key, id) === 0);
      this.#violations.check(
        "P5",
        gone === undefined,
        () => `${nameOf(call)} showed ${gone ?? ""}, which is gone`,
      );
    }
    for (const { functionName, key, at, ids } of this.#history.shown) {
      // A watcher is not told whether a majority stands behind what it is shown.
      if (!this.#mustStayVisible(this.#history.wasDegraded, at)) continue;
      const gone = ids.find((id) => this.#effects(functionName, key, id) === 0);
      this.#violations.check(
        "P5",
        gone === undefined,
        () => `a watcher of ${functionName}/${key} was shown ${gone ?? ""}, which is gone`,
      );
    }
  }

  /** A handler that was called after another's answer sees what that one did. */
  judgeOrder(): void {
    if (this.#history.lossy.length > 0) return;
    const byEntity = new Map<string, CallRecord[]>();
    for (const call of this.#history.calls) {
      if (call.operation === "seen" || call.acks === 1 || call.answer?.type !== "ok") continue;
      if (call.answer.degraded) continue;
      const name = `${call.functionName}/${call.key}`;
      const known = byEntity.get(name);
      if (known === undefined) byEntity.set(name, [call]);
      else known.push(call);
    }
    for (const calls of byEntity.values()) this.#judgeOrderOf(calls);
  }

  /** Of each entity by itself. */
  judgeEntities(): void {
    for (const [name, { effects, count, tags }] of this.#final) {
      const sum = Object.values(effects).reduce((total, times) => total + times, 0);
      this.#violations.check(
        "C2",
        sum === count,
        () => `${name} counts ${String(count)} and its calls sum up to ${String(sum)}`,
      );
      this.#judgeRemovals(name, new Set(tags));
    }
  }

  /** Whoever wrote `latest` last is shown there, as far as clocks can tell who was last. */
  judgeRegisters(): void {
    const byId = new Map(this.#history.calls.map((call) => [call.id, call]));
    for (const call of this.#history.calls) {
      if (call.operation === "seen" || !this.#mustStay(call)) continue;
      const name = `${call.functionName}/${call.key}`;
      const shown = byId.get(this.#final.get(name)?.latest ?? "");
      if (shown?.answer?.type !== "ok") continue;
      // One that ran twice may have done so after its answer.
      if (this.#effects(shown.functionName, shown.key, shown.id) !== 1) continue;
      const isLost = call.sentAt - shown.answer.at > clockToleranceMs;
      this.#violations.check("C10", !isLost, () => {
        const times = `sent at ${call.sentAt.toFixed(0)}, that was answered at ${shown.answer!.at.toFixed(0)}`;
        return `${nameOf(call)} lost ${name} to call ${shown.id}: ${times}`;
      });
    }
  }

  judgeSlates(): void {
    const { slateCalls } = this.#history;
    for (const mark of slateCalls) {
      if (mark.operation !== "wipe") this.#judgeMark(mark, slateCalls);
      if (mark.operation === "post" && this.#mustStay(mark)) this.#judgePost(mark);
    }
  }

  /** All that its callers meet is decided by a majority. */
  isStrict(name: SimulatedFunctionName): boolean {
    return name === "vault" || name === "board" || !this.#history.wasDegraded;
  }

  /** By the deletes of the same entity, that of its own turn apart. */
  #judgeMark(mark: CallRecord, calls: readonly CallRecord[]): void {
    const { id, key, functionName, answer } = mark;
    if (answer?.type !== "ok" || answer.degraded) return;
    const marks = this.#final.get(`${functionName}/${key}`)?.tags ?? [];
    const deletes = calls.filter((call) => {
      const isSame = call.functionName === functionName && call.key === key;
      return isSame && (call.operation === "wipe" || call.operation === "renew") && call !== mark;
    });
    const ending = deletes.find((call) => {
      return call.sentOrder > answer.order && this.#mustStay(call) && !isDegraded(call);
    });
    const name = nameOf(mark);
    if (ending !== undefined) {
      const what = (): string => `${name} is back, which ${nameOf(ending)} had deleted`;
      this.#violations.check("C11", !marks.includes(id), what);
    }
    const isLast = deletes.every((call) => isOverBefore(call, mark));
    if (!isLast || !this.isStrict(functionName) || !this.#mustStay(mark)) return;
    this.#violations.check("C12", marks.includes(id), () => `${name} is gone`);
  }

  /** What became of the slate says nothing of what it had sent. */
  #judgePost(post: CallRecord): void {
    if (this.#history.lossy.length > 0 || !this.isStrict(post.functionName)) return;
    for (const [index, [name, key]] of post.targets.entries()) {
      if (!this.isStrict(name)) continue;
      const count = this.#effects(name, key, sentId(post.id, index));
      this.#violations.check("C3", count === 1, () => {
        return `${nameOf(post)} took effect ${String(count)} times at ${name}/${key}`;
      });
    }
  }

  #judgeRemovals(name: string, tags: ReadonlySet<string>): void {
    for (const call of this.#history.calls) {
      if (call.operation !== "untag" || `${call.functionName}/${call.key}` !== name) continue;
      if (!this.#mustStay(call) || call.answer?.type !== "ok" || call.answer.degraded) continue;
      // A second run of the tagging, agreed to, adds it again.
      if (this.#effects(call.functionName, call.key, call.removes) > 1) continue;
      if (!this.#hadToSee(call, call.removes)) continue;
      this.#violations.check(
        "C6",
        !tags.has(call.removes),
        () => `${name} still has ${call.removes}, which ${nameOf(call)} removed`,
      );
    }
  }

  /** A removal takes what its turn could see: not what a fork held that was merged afterwards. */
  #hadToSee(removal: CallRecord, id: string): boolean {
    const added = this.#history.calls.find((call) => call.id === id);
    if (added?.answer?.type !== "ok" || added.answer.degraded) return false;
    return added.acks !== 1 && added.answer.order < removal.sentOrder;
  }

  #judgeOrderOf(calls: readonly CallRecord[]): void {
    for (const later of calls) {
      if (later.answer?.type !== "ok") continue;
      const seen = new Set(later.answer.seen);
      for (const earlier of calls) {
        if (earlier.answer!.order > later.sentOrder) continue;
        this.#violations.check(
          "C5",
          seen.has(earlier.id),
          () => `${nameOf(later)} was sent after ${nameOf(earlier)} was answered but missed it`,
        );
      }
    }
  }

  #judgeSends(call: CallRecord, count: number): void {
    if (this.#history.lossy.length > 0 || !this.isStrict(call.functionName)) return;
    for (const [index, [name, key]] of call.targets.entries()) {
      if (!this.isStrict(name)) continue;
      const sent = this.#effects(name, key, sentId(call.id, index));
      this.#violations.check("C3", sent === count, () => {
        const times = `${String(count)} times, its call of ${name}/${key} ${String(sent)} times`;
        return `${nameOf(call)} took effect ${times}`;
      });
    }
  }

  #judgeAsks(call: CallRecord, outer: number): void {
    let { id } = call;
    let above = outer;
    let isStrict = this.isStrict(call.functionName);
    for (const [name, key] of call.targets) {
      id = askedId(id);
      const count = this.#effects(name, key, id);
      isStrict &&= this.isStrict(name);
      const isLost = above > 0 && count === 0 && this.#history.lossy.length === 0;
      const holds = !isStrict || (!isLost && (count <= 1 || !call.isProtected));
      this.#violations.check("C4", holds, () => {
        const times = `${String(count)} times at ${name}/${key} and ${String(above)} times above`;
        return `${nameOf(call)}: ${id} took effect ${times}`;
      });
      above = count;
    }
  }

  #judgeChain(call: CallRecord, first: number): void {
    let { id } = call;
    let before = first;
    let isStrict = this.isStrict(call.functionName);
    for (const [name, key] of call.targets) {
      id = passedId(id);
      const count = this.#effects(name, key, id);
      isStrict &&= this.isStrict(name);
      const isLost = count === 0 && call.answer?.type === "ok";
      const isWrong = isLost || count > 1 || (count > 0 && before === 0);
      const isJudged = isStrict && call.isProtected && this.#history.lossy.length === 0;
      this.#violations.check("C19", !isJudged || !isWrong, () => {
        const times = `${String(count)} times at ${name}/${key}, the stage before ${String(before)} times`;
        return `${nameOf(call)}, answered ${answerOf(call)}: ${id} took effect ${times}`;
      });
      before = count;
    }
  }

  /** By the state of its entity alone: what set it, what it did and what ended it are all there. */
  #judgeTimer(call: CallRecord, count: number): void {
    const { id, functionName, key, timer } = call;
    if (this.#history.lossy.length > 0 || !this.isStrict(functionName)) return;
    const effects = Object.entries(this.#final.get(`${functionName}/${key}`)?.effects ?? {});
    const firings = effects.filter(([effect]) => effect.startsWith(firedId(id)));
    const isOnce = firings.every(([, times]) => times === 1);
    const wanted = count * Math.max(1, timer?.times ?? 1);
    const ended = this.#effects(functionName, key, endedId(id));
    const left = wanted - firings.length;
    const holds = isOnce && (ended === 0 ? left === 0 : ended === 1 && left >= 1);
    this.#violations.check("C13", holds, () => {
      const did = firings.map(([effect, times]) => `${effect} ${String(times)} times`);
      const told = `set ${String(count)} times, cancelled or replaced ${String(ended)} times`;
      return `the timer of ${nameOf(call)}, ${told}, took effect as ${did.join(", ") || "nothing"}`;
    });
  }

  #effects(functionName: SimulatedFunctionName, key: string, id: string): number {
    return this.#final.get(`${functionName}/${key}`)?.effects[id] ?? 0;
  }

  #mustStay(call: CallRecord): boolean {
    const { answer } = call;
    if (answer?.type !== "ok" || call.acks === 1) return false;
    return this.#mustStayVisible(answer.degraded, answer.at);
  }

  #mustStayVisible(degraded: boolean, at: number): boolean {
    const { lossy, endCount } = this.#history;
    if (degraded && (endCount > 0 || lossy.length > 0)) return false;
    return lossy.every(({ until }) => at > until);
  }

  /** Whether its caller may have agreed to degraded service: only then may it count twice. */
  #mayDouble({ functionName, isProtected, answer }: CallRecord): boolean {
    if (!isProtected || this.isStrict(functionName)) return false;
    return answer?.type !== "ok" || answer.degraded;
  }
}

function isDegraded({ answer }: CallRecord): boolean {
  return answer?.type === "ok" && answer.degraded;
}

/** Whatever it did was done before the other call was sent. */
function isOverBefore({ answer }: CallRecord, other: CallRecord): boolean {
  if (answer === undefined || answer.order > other.sentOrder) return false;
  return answer.type === "ok" || !answer.indeterminate;
}

function nameOf({ id, functionName, key, operation, client }: CallRecord): string {
  return `call ${id} (${functionName}/${key} ${operation} by ${client})`;
}

function answerOf({ answer }: CallRecord): string {
  if (answer === undefined) return "never";
  if (answer.type === "ok") return answer.degraded ? "ok, degraded" : "ok";
  return `${answer.code}${answer.indeterminate ? " (may have run)" : ""}`;
}
