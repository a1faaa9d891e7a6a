/**
 * Which process holds a link to this node under which id, and which of them are being tested because
 * a newcomer claims the same id.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { HelloJudgement } from "./hello-judgement.ts";
import { judgeHello } from "./hello-judgement.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";

/** Ids claimed twice at once; more claims are judged without a test of their own. */
const testCountMax = 64;

interface LinkParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly sink: EffectSink;
}

interface Test {
  readonly newcomerBoot: BootId;
  readonly startedAt: number;
}

export class Links {
  readonly #parts: LinkParts;
  /** The last life linked to, kept while the member lives. */
  readonly #lives = new Map<NodeId, { readonly boot: BootId; isOpen: boolean }>();
  readonly #tests = new Map<NodeId, Test>();

  constructor(parts: LinkParts) {
    this.#parts = parts;
  }

  open(peer: { readonly id: NodeId; readonly boot: BootId }): void {
    this.#lives.set(peer.id, { boot: peer.boot, isOpen: true });
    this.#tests.delete(peer.id);
  }

  close(node: NodeId, boot: BootId): void {
    const life = this.#lives.get(node);
    if (life?.boot === boot) life.isOpen = false;
  }

  /** Whether this life of the node was ever linked: only then can a link to it have been lost. */
  hasMet(node: NodeId, boot: BootId): boolean {
    return this.#lives.get(node)?.boot === boot;
  }

  /** Whether a link to this node stands. */
  isOpen(node: NodeId): boolean {
    return this.#lives.get(node)?.isOpen === true;
  }

  judge(newcomer: { readonly id: NodeId; readonly boot: BootId }, now: number): HelloJudgement {
    const { settings, roster, sink } = this.#parts;
    const { id, boot } = newcomer;
    const test = this.#tests.get(id);
    const life = this.#lives.get(id);
    const judgement = judgeHello({
      newcomer,
      self: roster.self,
      known: roster.members.get(id),
      linkedBoot: life?.isOpen === true ? life.boot : undefined,
      testedAt: test?.newcomerBoot === boot ? test.startedAt : undefined,
      heardAt: roster.heardAt(id),
      waitMs: settings.duplicateWaitMs,
      now,
    });
    if (judgement.type !== "wait") {
      this.#tests.delete(id);
      if (judgement.type === "accept") this.#accept(id, boot);
    } else if (test?.newcomerBoot !== boot) {
      for (const oldest of this.#tests.keys()) {
        if (this.#tests.size < testCountMax) break;
        this.#tests.delete(oldest);
      }
      this.#tests.set(id, { newcomerBoot: boot, startedAt: now });
      // Sequence 0: any frame of the old process answers the question.
      sink.send(id, { type: "ping", sequence: 0, target: id, updates: [] });
    }
    return judgement;
  }

  /** An earlier process of that id was silent: what is heard from now on is the newcomer's. */
  #accept(id: NodeId, boot: BootId): void {
    const life = this.#lives.get(id);
    if (life !== undefined && life.boot !== boot) life.isOpen = false;
  }

  /** Forgets tests whose newcomer never asked again, and lives that ended. */
  expire(now: number): void {
    for (const [node, { isOpen }] of this.#lives) {
      if (!isOpen && this.#parts.roster.live(node) === undefined) this.#lives.delete(node);
    }
    for (const [node, { startedAt }] of this.#tests) {
      if (now - startedAt > 2 * this.#parts.settings.duplicateWaitMs) this.#tests.delete(node);
    }
  }
}
