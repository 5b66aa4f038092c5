/** What every deed of a driver works with: the journal, the inbox, the means, and the few ways to wait or stop. */
import type { Clock, Random } from "#proto/common/clock.ts";
import type { Failure, Outcome } from "#proto/common/failure.ts";
import type { ClusterSample, Gates } from "../domain/gate.ts";
import { decide } from "../domain/rollout/decide.ts";
import type { RolloutFact } from "../domain/rollout/event.ts";
import type { Hint } from "../domain/rollout/hint.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import type { AgentReports } from "./agents/agent-reports.ts";
import { hear, tellFreedAgain } from "./agents/hearing.ts";
import { Inbox, type Mail } from "./agents/inbox.ts";
import type { RolloutJournal } from "./journal.ts";
import type { LockDeeds } from "./lock/lock-deeds.ts";
import type { Standings } from "./lock/standings.ts";
import type { Fleet } from "./ports.ts";

export interface LookResult {
  /** Field by field; empty when nothing drifted. */
  readonly drift: readonly { readonly field: string; readonly planned: string; readonly found: string }[];
  /** Window, freeze or blocker: wait, nothing is wrong. */
  readonly notNow?: Failure;
  /** A node has not reported: looked again for as long as a grant is tried. */
  readonly notYet?: Failure;
  readonly refused?: Failure;
}

export interface DriverMeans {
  readonly fleet: Fleet;
  readonly reports: AgentReports;
  readonly deeds: LockDeeds;
  readonly standings: Standings;
  readonly clock: Clock;
  readonly random: Random;
  readonly nonce: () => string;
  /** Newest hash of the audit log: agents sync it to their disks with each epoch. */
  readonly auditHead: () => string;
  readonly gates: Gates;
  members(cluster: string): readonly string[];
  lookBeforeGrant(state: RolloutState): Promise<LookResult>;
  takeSnapshot(reason: string, clusters: readonly string[]): Promise<Outcome<string>>;
  /** Takes the rollout's claims again where nobody holds them. */
  claimAgain(state: RolloutState): Promise<Outcome<void>>;
  /** The rollout has ended: its claim goes, its agents may prune. */
  ended(state: RolloutState): Promise<void>;
  readonly timing: DriverTiming;
}

export interface DriverTiming {
  /** An agent's answer to an announcement or a program. */
  readonly answerLimitMs: number;
  /** How long a node in work may be without a stream before the rollout stops. */
  readonly silenceLimitMs: number;
  /** How long a grant may be refused (a missing agent, an election) before the rollout stops. */
  readonly grantLimitMs: number;
}

export const driverTiming: DriverTiming = {
  answerLimitMs: 5_000,
  silenceLimitMs: 120_000,
  grantLimitMs: 60_000,
};

export interface GateLook {
  readonly atMs: number;
  readonly notGreenSinceMs?: number;
}

export const tickMs = 1_000;
/** A wait that only mail ends; bounded all the same. */
export const forEverMs = 24 * 3_600_000;

/** These write to the log first thing, before anybody is sent anything. */
const writesAtOnce: ReadonlySet<string> = new Set(["pass-stage", "start-stage", "grant", "send"]);

export class RolloutDesk {
  readonly inbox: Inbox;
  readonly means: DriverMeans;
  readonly stopped: AbortSignal;
  /** The cluster as it was when a stage began, for gates that compare. */
  readonly before = new Map<string, ClusterSample>();
  /** What the record and the agents' journals say of each other has been settled since the start or last order. */
  recovered = false;
  refusedSinceMs: number | undefined;
  /** By gate of a wait: when it was looked at last, and since when it is not green, by our monotonic clock. */
  readonly looks = new Map<string, GateLook>();
  /** By node in work: how it is silent, and since when by our monotonic clock. */
  readonly silentSinceMs = new Map<string, { readonly key: string; readonly ms: number }>();
  readonly #journal: RolloutJournal;

  constructor(journal: RolloutJournal, means: DriverMeans, stopped: AbortSignal) {
    this.#journal = journal;
    this.means = means;
    this.stopped = stopped;
    this.inbox = new Inbox(means.clock);
  }

  get state(): RolloutState {
    return this.#journal.state;
  }

  append(...facts: readonly RolloutFact[]): Promise<void> {
    return this.#journal.append(...facts);
  }

  /**
   * For facts that the next driver would find again by itself: where the next action writes at once, its events and
   * these are one append.
   */
  async appendWithNext(fact: RolloutFact): Promise<void> {
    this.#journal.hold(fact);
    if (!writesAtOnce.has(decide(this.state).do)) await this.#journal.flush();
  }

  async stop(stage: string, why: Failure, hint: Hint, node?: string): Promise<void> {
    this.silentSinceMs.clear();
    await this.append({ kind: "stopped", stage, why, hint, ...(node === undefined ? {} : { node }) });
  }

  /** Notes why nothing happens, once per reason, and waits for mail. */
  async rest(stage: string, why: Failure, limitMs = forEverMs): Promise<void> {
    await this.noteWait(stage, why);
    await this.takeMail(limitMs);
  }

  async noteWait(stage: string, why: Failure): Promise<void> {
    const known = this.state.waiting?.why;
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(why))
      await this.append({ kind: "waited", stage, why });
  }

  /** Sleeps while mail is absorbed; true as soon as an order, or what an agent said, changes what comes next. */
  async restUnlessOrdered(ms: number): Promise<boolean> {
    const { clock } = this.means;
    const endMs = clock.monotonicMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
      const mail = await this.takeMail(leftMs);
      if (this.stopped.aborted || mail?.kind === "order") return true;
      if (mail !== undefined && decide(this.state).do !== "take-gate") return true;
    }
    return false;
  }

  /** Takes one mail, if one comes, and does what every state owes it. */
  async takeMail(limitMs: number): Promise<Mail | undefined> {
    if (limitMs > 0) await this.#journal.flush();
    const mail = await this.inbox.take(limitMs, this.stopped);
    if (mail === undefined) return undefined;
    switch (mail.kind) {
      case "said":
        this.silentSinceMs.delete(mail.node);
        await hear(this, mail);
        break;
      case "attached":
        if (this.silentSinceMs.get(mail.node)?.key.startsWith("absent") === true)
          this.silentSinceMs.delete(mail.node);
        tellFreedAgain(this, mail.node);
        break;
      case "detached":
        break;
      case "order":
        await this.#ordered(mail);
    }
    return mail;
  }

  async #ordered({ fact, done }: Extract<Mail, { kind: "order" }>): Promise<void> {
    try {
      await this.append(fact);
      this.recovered = false;
      this.refusedSinceMs = undefined;
      done(true);
    } catch (error) {
      done(false);
      throw error;
    }
  }
}
