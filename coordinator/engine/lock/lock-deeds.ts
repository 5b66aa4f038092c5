/**
 * The lock's transitions with their effects: read, decide purely, compare-and-swap. Several clusters are
 * taken in the order of their names, all or none.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { inOrder } from "../../domain/claim.ts";
import type { LockRecord } from "../../domain/lock.ts";
import * as lock from "../../domain/lock.ts";
import { proveBroken, type TakeOver, takeOver } from "../../domain/lock-recovery.ts";
import type { HeldLock } from "../../domain/rollout/state.ts";
import type { AgentReports } from "../agents/agent-reports.ts";
import type { Register, Versioned } from "../ports.ts";
import type { Claims } from "./claims.ts";
import type { Standings } from "./standings.ts";
import { electionLimitMs, readSurely, swapSurely } from "./swap.ts";

export interface LockMeans {
  readonly locks: Register<LockRecord>;
  readonly standings: Standings;
  readonly claims: Pick<Claims, "whyNotHeld">;
  readonly reports: AgentReports;
  readonly clock: Clock;
  readonly random: Random;
  readonly coordinator: string;
  members(cluster: string): readonly string[];
}

export interface GrantWish {
  readonly clusters: readonly string[];
  readonly nodes: readonly string[];
  readonly scope: lock.LockScope;
  readonly rollout: string;
  readonly stage: string;
  readonly nonce: string;
}

interface ChangeOptions {
  readonly limitMs?: number;
  /** The record as it was just read: the first try swaps against it. */
  readonly seen?: Versioned<LockRecord>;
}

/** An enter must be answered within the agent's own five seconds. */
const enterLimitMs = 4_000;

export class LockDeeds {
  readonly #means: LockMeans;

  constructor(means: LockMeans) {
    this.#means = means;
  }

  /** Epochs by cluster, or why not; what was taken before the refusal is given back. */
  async grant(wish: GrantWish): Promise<Outcome<Readonly<Record<string, number>>>> {
    const epochs: Record<string, number> = {};
    for (const cluster of inOrder(wish.clusters)) {
      const granted = await this.#grantOne(cluster, wish);
      if (!granted.ok) {
        for (const [taken, epoch] of Object.entries(epochs))
          await this.withdraw(taken, { epoch, nonce: wish.nonce }, []);
        return granted;
      }
      epochs[cluster] = granted.value;
    }
    return succeed(epochs);
  }

  async #grantOne(cluster: string, wish: GrantWish): Promise<Outcome<number>> {
    const members = this.#means.members(cluster);
    const [unclaimed, before, provenStateIds] = await Promise.all([
      this.#means.claims.whyNotHeld(cluster, wish.rollout),
      this.read(cluster),
      this.#means.standings.provenStateIds(members),
    ]);
    if (unclaimed !== undefined) return { ok: false, failure: unclaimed };
    // after the reads: what an agent has said meanwhile counts
    const reports = this.#means.reports.of(cluster, members);
    const epoch = lock.mayGrant({ cluster, record: before?.value, members, reports, provenStateIds });
    if (!epoch.ok) return epoch;
    const { rollout, stage, scope, nonce } = wish;
    // each record speaks of its own nodes: nobody of this cluster can prove what another's are at
    const nodes = wish.nodes.filter((node) => members.includes(node));
    const record = lock.grant(cluster, before?.value, {
      epoch: epoch.value,
      scope,
      nodes,
      rollout,
      stage,
      nonce,
      since: this.#now(),
      by: this.#means.coordinator,
    });
    if (!record.ok) return record;
    const written = await this.#swap(cluster, before, record.value, electionLimitMs);
    return written.ok ? epoch : written;
  }

  async whyNotReady(cluster: string): Promise<Failure | undefined> {
    const members = this.#means.members(cluster);
    const provenStateIds = await this.#means.standings.provenStateIds(members);
    return lock.whyNotReady({
      cluster,
      members,
      reports: this.#means.reports.of(cluster, members),
      provenStateIds,
    });
  }

  async whyUnproven(cluster: string, node: string): Promise<Failure | undefined> {
    const report = this.#means.reports.of(cluster, [node])[node];
    const proven = (await this.#means.standings.provenStateIds([node]))[node];
    return lock.whyUnproven(cluster, node, { report, proven });
  }

  /** The record as it is after this; a repeated enter changes nothing. */
  async enter(cluster: string, holding: lock.Holding, node: string): Promise<Outcome<LockRecord>> {
    return this.#change(cluster, (record) => lock.enter(cluster, record, holding, node), {
      limitMs: enterLimitMs,
    });
  }

  /**
   * Gives a grant back. `abandoned`: nodes whose own journal says that they never began, though the record
   * may say that they entered. Already free is as good as freed.
   */
  async withdraw(
    cluster: string,
    holding: lock.Holding,
    abandoned: readonly string[],
  ): Promise<Outcome<LockRecord>> {
    return this.#change(cluster, (record) => {
      if (!lock.isHolding(record, holding)) return succeed(record);
      let left: Outcome<LockRecord> = succeed(record);
      for (const node of abandoned) {
        if (left.ok && left.value.state === "entered")
          left = lock.abandonEnter(cluster, left.value, { ...holding, node }, this.#now());
      }
      return left.ok && left.value.state === "granted"
        ? lock.withdraw(cluster, left.value, holding, this.#now())
        : left;
    });
  }

  /** Frees on proof. A record that the store has lost meanwhile is written anew as free, under our epoch. */
  async free(held: HeldLock, cluster: string, proof: lock.Proof): Promise<Outcome<LockRecord>> {
    const holding = { epoch: held.epochs[cluster] ?? 0, nonce: held.nonce };
    const before = await this.read(cluster);
    if (before === undefined || before.value.epoch < holding.epoch) {
      const { stage, nodes, scope, nonce } = held;
      const restored: LockRecord = {
        format: lock.lockFormat,
        epoch: holding.epoch,
        state: "free",
        scope,
        nodes,
        entered: [],
        rollout: before?.value.rollout ?? "",
        stage,
        nonce,
        since: this.#now(),
        by: this.#means.coordinator,
      };
      const written = await this.#swap(cluster, before, restored, electionLimitMs);
      return written.ok ? succeed(restored) : written;
    }
    if (before.value.state === "free" && before.value.nonce === held.nonce) return succeed(before.value);
    return this.#change(cluster, (record) => lock.free(cluster, record, { ...holding, proof }, this.#now()), {
      seen: before,
    });
  }

  async takeOver(
    cluster: string,
  ): Promise<{ readonly record: LockRecord | undefined; readonly what: TakeOver }> {
    const members = this.#means.members(cluster);
    const record = (await this.read(cluster))?.value;
    const what = takeOver(
      cluster,
      record,
      this.#means.reports.of(cluster, members),
      await this.#means.standings.provenStateIds(members),
    );
    return { record, what };
  }

  async clearBreak(cluster: string): Promise<void> {
    await this.#change(cluster, (record) => succeed(proveBroken(record, record.broken?.nodes ?? [])));
  }

  read(cluster: string): Promise<Versioned<LockRecord> | undefined> {
    return readSurely(this.#means.locks, cluster, this.#swapMeans(electionLimitMs));
  }

  async change(
    cluster: string,
    alter: (record: LockRecord) => Outcome<LockRecord>,
  ): Promise<Outcome<LockRecord>> {
    return this.#change(cluster, alter);
  }

  async #change(
    cluster: string,
    alter: (record: LockRecord) => Outcome<LockRecord>,
    { limitMs = electionLimitMs, seen }: ChangeOptions = {},
  ): Promise<Outcome<LockRecord>> {
    for (let tries = 0; tries < 5; tries += 1) {
      const isSeen = tries === 0 && seen !== undefined;
      const before = isSeen ? seen : await readSurely(this.#means.locks, cluster, this.#swapMeans(limitMs));
      if (before === undefined) return fail("lock.missing", { cluster });
      const next = alter(before.value);
      if (!next.ok || next.value === before.value) return next;
      const written = await this.#swap(cluster, before, next.value, limitMs);
      if (written.ok) return next;
      if (written.failure.code !== "store.swap-lost") return written;
    }
    return fail("store.swap-lost", { key: cluster });
  }

  #swap(
    cluster: string,
    before: Versioned<LockRecord> | undefined,
    next: LockRecord,
    limitMs: number,
  ): Promise<Outcome<Versioned<LockRecord>>> {
    const wanted = JSON.stringify(next);
    const isOurs = (found: LockRecord) =>
      found.nonce === next.nonce && found.epoch === next.epoch && JSON.stringify(found) === wanted;
    return swapSurely(this.#means.locks, { key: cluster, before, next, isOurs }, this.#swapMeans(limitMs));
  }

  #swapMeans(limitMs: number) {
    const { clock, random } = this.#means;
    return { clock, random, limitMs };
  }

  #now(): string {
    return new Date(this.#means.clock.now()).toISOString();
  }
}
