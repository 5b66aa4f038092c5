/**
 * The coordinator as its users see it: every order and every question, with refusals as values. Orders are
 * recorded in the audit log before they are carried out.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { AuditEnds, AuditEntry } from "../domain/audit.ts";
import { blocking, type CheckResult, type Word } from "../domain/check.ts";
import type { ClusterEntry } from "../domain/inventory.ts";
import type { LockRecord } from "../domain/lock.ts";
import { breakLock } from "../domain/lock-recovery.ts";
import type { Plan } from "../domain/plan.ts";
import type { Playbook } from "../domain/playbook.ts";
import { eventFormat, type RolloutEvent, type RolloutFact } from "../domain/rollout/event.ts";
import { fold } from "../domain/rollout/reduce.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { phaseOf, viewOf, whyOf } from "../domain/rollout/view.ts";
import { whyNoPlanBack } from "../domain/rollout/way-back.ts";
import type { Snapshot, SnapshotHead } from "../domain/snapshot/snapshot.ts";
import type { FleetView, LockView, RolloutView, WhyView } from "../domain/views.ts";
import type { AuditHeads } from "./audit-heads.ts";
import type { AuditTrail } from "./audit-trail.ts";
import type { Claims } from "./claims.ts";
import type { Drivers } from "./drivers.ts";
import { clusterView, lockView } from "./fleet-view.ts";
import type { InventoryBook, InventoryChange } from "./inventory-book.ts";
import type { LockDeeds } from "./lock-deeds.ts";
import { checksRefuse, type Planning, type WantedTarget } from "./planning.ts";
import type { EventLog, Fleet } from "./ports.ts";
import type { Snapshots } from "./snapshots.ts";

export type Order = "pause" | "resume" | "abort" | "approve" | "retry" | "skip";

/** A word as given; who and when are added here. */
export type GivenWord = Pick<Word, "kind" | "check" | "reason"> & { readonly until?: string };

export interface ApplyWish {
  readonly plan: Plan;
  readonly stopAfterNodes?: number;
  readonly approveEach: boolean;
  readonly words: readonly GivenWord[];
}

export interface OrderWish {
  readonly rollout: string;
  readonly order: Order;
  readonly node?: string;
  readonly reason: string;
  readonly words: readonly GivenWord[];
}

export interface ApplicationMeans {
  readonly clock: Clock;
  readonly random: Random;
  readonly fleet: Fleet & { doubled(): readonly string[] };
  readonly log: EventLog<RolloutEvent>;
  readonly audit: AuditTrail;
  readonly heads: AuditHeads;
  readonly claims: Claims;
  readonly drivers: Drivers;
  readonly deeds: LockDeeds;
  readonly planning: Planning;
  readonly snapshots: Snapshots;
  readonly inventory: InventoryBook;
  readonly newRolloutId: () => string;
  playbook(engine: string): Playbook | undefined;
  leader(): { readonly leads: boolean; readonly address: string };
  readonly insecure: boolean;
  doctor(): Promise<readonly CheckResult[]>;
}

export class Application {
  readonly #means: ApplicationMeans;

  constructor(means: ApplicationMeans) {
    this.#means = means;
  }

  async applyInventory(
    by: string,
    file: { readonly name: string; readonly yaml: string; readonly dryRun: boolean },
  ): Promise<Outcome<readonly InventoryChange[]>> {
    const changes = this.#means.inventory.compare(file);
    if (!changes.ok || file.dryRun) return changes;
    const refused = this.#notLeading() ?? (await this.#touchesOpenRollout(changes.value));
    if (refused !== undefined) return refused;
    await this.#means.audit.record({
      who: by,
      deed: "cluster-apply",
      subject: file.name,
      reason: "",
      facts: { changes: String(changes.value.length) },
    });
    return this.#means.inventory.store(file);
  }

  /** Nodes of a claimed cluster may not come or go under a running rollout. */
  async #touchesOpenRollout(changes: readonly InventoryChange[]): Promise<Outcome<never> | undefined> {
    for (const { cluster, kind, node, field } of changes) {
      if (
        node === undefined &&
        field !== undefined &&
        kind === "changed" &&
        ["freeze", "windows", "gates"].includes(field)
      )
        continue;
      const holder = await this.#means.claims.holder(cluster);
      if (holder !== undefined && holder.rollout !== "")
        return fail("claim.held", { cluster, rollout: holder.rollout, by: holder.by, since: holder.since });
    }
    return undefined;
  }

  async removeNode(
    by: string,
    { cluster, node, reason }: { readonly cluster: string; readonly node: string; readonly reason: string },
  ): Promise<Outcome<void>> {
    const refused = this.#notLeading();
    if (refused !== undefined) return refused;
    if (this.#means.fleet.presence(node) !== undefined) return fail("node.still-attached", { cluster, node });
    await this.#means.audit.record({
      who: by,
      deed: "remove-node",
      subject: `${cluster}/${node}`,
      reason,
      facts: {},
    });
    return this.#means.inventory.removeNode(cluster, node);
  }

  async fleet(cluster?: string): Promise<Outcome<FleetView>> {
    const { inventory, clock, insecure, fleet, playbook } = this.#means;
    const entries = inventory.clusters().filter(({ name }) => cluster === undefined || name === cluster);
    if (cluster !== undefined && entries.length === 0) return fail("cluster.unknown", { cluster });
    const clusters = await Promise.all(
      entries.map(async (entry) =>
        clusterView(entry, fleet, playbook(entry.engine), await this.#factsOf(entry)),
      ),
    );
    return succeed({ takenAt: new Date(clock.now()).toISOString(), clusters, insecure });
  }

  async #factsOf({ name }: ClusterEntry) {
    const [lock, claim] = await Promise.all([this.#means.deeds.read(name), this.#means.claims.holder(name)]);
    return {
      lock: lock?.value,
      claim,
      words: this.wordsInForce(name),
      step: this.#stepUnder(lock?.value),
      nowMs: this.#means.clock.monotonicMs(),
    };
  }

  #stepUnder(record: LockRecord | undefined): string | undefined {
    if (record === undefined || record.state === "free") return undefined;
    const stage = this.#means.drivers.state(record.rollout)?.stages.find(({ id }) => id === record.stage);
    return Object.values(stage?.programs ?? {}).at(-1)?.lastStep;
  }

  wordsInForce(cluster: string): readonly Word[] {
    const now = this.#means.clock.now();
    return this.#means.drivers
      .states()
      .filter(({ plan }) => plan.clusters.includes(cluster))
      .flatMap(({ words }) => words.filter(({ until }) => until === undefined || Date.parse(until) > now));
  }

  check(target: WantedTarget): Promise<Outcome<readonly CheckResult[]>> {
    return this.#means.planning.check(target);
  }

  makePlan(target: WantedTarget): Promise<Outcome<Plan>> {
    return this.#means.planning.plan(target);
  }

  async makePlanBack(rollout: string): Promise<Outcome<Plan>> {
    const state = await this.#find(rollout);
    return state === undefined ? fail("rollout.unknown", { name: rollout }) : whyNoPlanBack(state);
  }

  async apply(by: string, wish: ApplyWish): Promise<Outcome<string>> {
    const refused = this.#notLeading();
    if (refused !== undefined) return refused;
    const held = await this.#heldClaim(wish.plan.clusters);
    if (held !== undefined) return held;
    const plan = await this.#means.planning.again(wish.plan);
    if (!plan.ok) return plan;
    const words = this.#words(by, wish.words);
    const standing = blocking(plan.value.checks, words, this.#means.clock.now());
    if (standing.length > 0) return { ok: false, failure: checksRefuse(standing) };
    return this.#begin(by, plan.value, wish, words);
  }

  async #heldClaim(clusters: readonly string[]): Promise<Outcome<never> | undefined> {
    for (const cluster of clusters) {
      const record = await this.#means.claims.holder(cluster);
      if (record !== undefined && record.rollout !== "")
        return fail("claim.held", { cluster, rollout: record.rollout, by: record.by, since: record.since });
    }
    return undefined;
  }

  async #begin(by: string, plan: Plan, wish: ApplyWish, words: readonly Word[]): Promise<Outcome<string>> {
    const { audit, claims, log, drivers, newRolloutId, clock } = this.#means;
    const rollout = newRolloutId();
    await audit.record({
      who: by,
      deed: "apply",
      subject: rollout,
      reason: "",
      facts: { plan: plan.digest, clusters: plan.clusters.join(", "), to: plan.to },
    });
    await this.#auditWords(by, rollout, words);
    const claimed = await claims.takeAll(plan.clusters, { rollout, by });
    if (!claimed.ok) return claimed;
    const { stopAfterNodes, approveEach } = wish;
    const options = { approveEach, ...(stopAfterNodes === undefined ? {} : { stopAfterNodes }) };
    const fact: RolloutFact = { kind: "rollout-started", plan, by, options, words };
    const event: RolloutEvent = {
      format: eventFormat,
      rollout,
      sequence: 1,
      at: new Date(clock.now()).toISOString(),
      fact,
    };
    const { result } = await log.append(rollout, [event], 0);
    if (result !== "written" && (await log.read(rollout)).length === 0) {
      await claims.releaseAll(plan.clusters, { rollout, by });
      return fail("store.unreachable", { cause: "the rollout could not be written; nothing was begun" });
    }
    drivers.start(rollout, false);
    return succeed(rollout);
  }

  async steer(by: string, wish: OrderWish): Promise<Outcome<void>> {
    const refused = this.#notLeading();
    if (refused !== undefined) return refused;
    const state = this.#openState(wish.rollout);
    if (state === undefined) return fail("rollout.not-open", { rollout: wish.rollout });
    const words = this.#words(by, wish.words);
    const fact = this.#factFor(by, wish, state, words);
    if (!fact.ok) return fact;
    await this.#means.audit.record({
      who: by,
      deed: wish.order,
      subject: state.id,
      reason: wish.reason,
      facts: wish.node === undefined ? {} : { node: wish.node },
    });
    await this.#auditWords(by, state.id, words);
    const stored = await this.#means.drivers.order(state.id, fact.value);
    return stored ? succeed(undefined) : fail("rollout.not-open", { rollout: state.id });
  }

  #factFor(
    by: string,
    { order, node, reason }: OrderWish,
    state: RolloutState,
    words: readonly Word[],
  ): Outcome<RolloutFact> {
    const phase = phaseOf(state);
    const wrong = () => fail<RolloutFact>("rollout.wrong-phase", { rollout: state.id, order, phase });
    switch (order) {
      case "pause":
        return phase === "running" || phase === "waiting" ? succeed({ kind: "paused", by, reason }) : wrong();
      case "resume":
        return phase === "paused" || phase === "stopped" ? succeed({ kind: "resumed", by, words }) : wrong();
      case "abort":
        return phase === "done" || phase === "aborted"
          ? wrong()
          : succeed({ kind: "abort-asked", by, reason });
      case "approve": {
        const waiting = state.plan.stages.find(
          (_, index) =>
            state.stages[index]?.standing === "pending" || state.stages[index]?.standing === "started",
        );
        return phase === "waiting" && waiting !== undefined
          ? succeed({ kind: "approved", stage: waiting.id, by, reason })
          : wrong();
      }
      case "retry": {
        if (state.stop === undefined) return wrong();
        if (node !== undefined && state.stop.node !== undefined && node !== state.stop.node)
          return fail("rollout.other-node", { rollout: state.id, node, stopped: state.stop.node });
        return succeed({
          kind: "retried",
          stage: state.stop.stage,
          node: node ?? state.stop.node ?? "",
          by,
          words,
        });
      }
      case "skip":
        return this.#skip(by, node, reason, state);
    }
  }

  #skip(by: string, node: string | undefined, reason: string, state: RolloutState): Outcome<RolloutFact> {
    const stage = state.plan.stages.find((spec) => spec.kind === "node" && spec.node === node);
    if (node === undefined || stage === undefined) return fail("node.unknown", { node: node ?? "" });
    const standing = state.stages.find(({ id }) => id === stage.id)?.standing;
    if (standing === "passed") return fail("rollout.node-done", { rollout: state.id, node });
    if (state.lock?.stage === stage.id) return fail("rollout.node-holds-lock", { rollout: state.id, node });
    if (!this.#means.playbook(state.plan.engine)?.mayServeMixed(state.plan))
      return fail("rollout.no-mixed-versions", { rollout: state.id, node });
    return succeed({ kind: "skipped", node, by, reason });
  }

  async rollouts({
    cluster,
    openOnly,
    limit,
  }: {
    readonly cluster?: string;
    readonly openOnly: boolean;
    readonly limit: number;
  }): Promise<Outcome<readonly RolloutView[]>> {
    const names = openOnly
      ? await this.#means.claims.open()
      : [...(await this.#means.log.subjects())].reverse();
    const found: RolloutView[] = [];
    for (const name of names) {
      if (found.length >= limit) break;
      const state = await this.#state(name);
      if (state !== undefined && (cluster === undefined || state.plan.clusters.includes(cluster)))
        found.push(viewOf(state));
    }
    return succeed(found);
  }

  async rollout(name: string): Promise<Outcome<RolloutView>> {
    const state = await this.#find(name);
    return state === undefined ? fail("rollout.unknown", { name }) : succeed(viewOf(state));
  }

  async *watch(
    rollout: string,
    afterSequence: number,
    follow: boolean,
    signal: AbortSignal,
  ): AsyncIterable<RolloutEvent> {
    if (follow) yield* this.#means.log.follow(rollout, afterSequence, signal);
    else yield* await this.#means.log.read(rollout, afterSequence);
  }

  async why(name: string): Promise<Outcome<WhyView>> {
    const { drivers, inventory, fleet } = this.#means;
    if (name === "") return succeed({ subject: "fleet", answers: drivers.states().flatMap(whyOf) });
    const state = await this.#find(name);
    const doubled = fleet.doubled().filter((node) => node === name);
    if (doubled.length > 0)
      return succeed({
        subject: name,
        answers: [{ waitingFor: failure("agent.twice", { node: name }), who: "who.host-owner" }],
      });
    const owner = inventory
      .clusters()
      .find((cluster) => cluster.name === name || cluster.nodes.some((node) => node.name === name));
    if (owner === undefined)
      return state === undefined
        ? fail("rollout.unknown", { name })
        : succeed({ subject: state.id, answers: whyOf(state) });
    const silent = owner.nodes.filter(
      (node) => (owner.name === name || node.name === name) && fleet.presence(node.name) === undefined,
    );
    const open = drivers
      .states()
      .filter(({ plan }) => plan.clusters.includes(owner.name))
      .flatMap(whyOf);
    const missing = silent.map((node) => ({
      waitingFor: failure("node.unreachable", { node: node.name }),
      who: "who.host-owner",
      command: "systemctl status lockkeeper-agent   (on that host)",
    }));
    return succeed({ subject: name, answers: [...open, ...missing] });
  }

  async locks(cluster?: string): Promise<Outcome<readonly LockView[]>> {
    const names = this.#means.inventory.clusters().map(({ name }) => name);
    const wanted = cluster === undefined ? names : names.filter((name) => name === cluster);
    if (wanted.length === 0 && cluster !== undefined) return fail("cluster.unknown", { cluster });
    const { deeds, fleet, clock } = this.#means;
    const views = wanted.map(async (name) => {
      const record = (await deeds.read(name))?.value;
      return lockView(name, record, fleet, { step: this.#stepUnder(record), nowMs: clock.monotonicMs() });
    });
    return succeed(await Promise.all(views));
  }

  async breakLock(
    by: string,
    { cluster, reason, word }: { readonly cluster: string; readonly reason: string; readonly word: string },
  ): Promise<Outcome<LockView>> {
    const refused = this.#notLeading();
    if (refused !== undefined) return refused;
    const { deeds, fleet, clock, audit, drivers } = this.#means;
    const before = (await deeds.read(cluster))?.value;
    if (before === undefined || before.state === "free") return fail("lock.free", { cluster });
    const at = new Date(clock.now()).toISOString();
    const idle = before.nodes.filter(
      (node) => fleet.presence(node) !== undefined && !before.entered.includes(node),
    );
    const request = { reason, by, at, reached: idle, hostsAreOff: word === "the host is off" };
    const may = breakLock(cluster, before, request);
    if (!may.ok) return may;
    await audit.record({
      who: by,
      deed: "lock-break",
      subject: cluster,
      reason,
      facts: { epoch: String(before.epoch), nodes: before.nodes.join(", ") },
    });
    const broken = await deeds.change(cluster, (record) => breakLock(cluster, record, request));
    if (!broken.ok) return broken;
    await drivers.order(before.rollout, {
      kind: "lock-broken",
      cluster,
      nodes: before.nodes,
      by,
      reason,
      reached: false,
    });
    return succeed(lockView(cluster, broken.value, fleet, { step: undefined, nowMs: clock.monotonicMs() }));
  }

  async takeSnapshot(
    by: string,
    { cluster, reason }: { readonly cluster?: string; readonly reason: string },
  ): Promise<Outcome<Snapshot>> {
    const entries = this.#means.inventory
      .clusters()
      .filter(({ name }) => cluster === undefined || name === cluster);
    if (cluster !== undefined && entries.length === 0) return fail("cluster.unknown", { cluster });
    return this.#means.snapshots.take(entries, { by, reason });
  }

  async listSnapshots(filter: {
    readonly cluster?: string;
    readonly limit: number;
  }): Promise<Outcome<readonly SnapshotHead[]>> {
    return succeed(await this.#means.snapshots.list(filter));
  }

  snapshot(id: string): Promise<Outcome<Snapshot>> {
    return this.#means.snapshots.get(id);
  }

  async audit(limit: number): Promise<
    Outcome<{
      readonly entries: readonly AuditEntry[];
      readonly chainHolds: boolean;
      readonly ends: AuditEnds;
    }>
  > {
    const { audit, heads } = this.#means;
    const [read, ends] = await Promise.all([audit.read(limit), heads.ends()]);
    return succeed({ ...read, ends });
  }

  async doctor(): Promise<Outcome<readonly CheckResult[]>> {
    return succeed(await this.#means.doctor());
  }

  #notLeading(): Outcome<never> | undefined {
    const { leads, address } = this.#means.leader();
    return leads ? undefined : fail("coordinator.not-leader", { leader: address });
  }

  #openState(name: string): RolloutState | undefined {
    return this.#means.drivers.states().find(({ id, plan }) => id === name || plan.clusters.includes(name));
  }

  async #state(rollout: string): Promise<RolloutState | undefined> {
    return this.#means.drivers.state(rollout) ?? fold(await this.#means.log.read(rollout));
  }

  /** A rollout by id, else the newest of a cluster, or of a node's cluster. */
  async #find(given: string): Promise<RolloutState | undefined> {
    const clusters = this.#means.inventory.clusters();
    const owner = clusters.find(({ nodes }) => nodes.some((node) => node.name === given));
    const name = clusters.some((cluster) => cluster.name === given) ? given : (owner?.name ?? given);
    const open = this.#openState(name);
    if (open !== undefined) return open;
    if (!this.#means.inventory.clusters().some((cluster) => cluster.name === name))
      return /^[\w-]+$/.test(name) ? this.#state(name) : undefined;
    for (const rollout of [...(await this.#means.log.subjects())].reverse()) {
      const state = await this.#state(rollout);
      if (state?.plan.clusters.includes(name)) return state;
    }
    return undefined;
  }

  #words(by: string, given: readonly GivenWord[]): readonly Word[] {
    const at = new Date(this.#means.clock.now()).toISOString();
    return given.map((word) => ({ ...word, by, at }));
  }

  async #auditWords(by: string, rollout: string, words: readonly Word[]): Promise<void> {
    for (const { kind, check, reason, until } of words) {
      await this.#means.audit.record({
        who: by,
        deed: kind,
        subject: rollout,
        reason,
        facts: { check, ...(until === undefined ? {} : { until }) },
      });
    }
  }
}
