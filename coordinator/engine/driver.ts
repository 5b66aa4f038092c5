/**
 * Drives one rollout: decide, perform, append, again. All it knows is in its journal and in what the agents
 * say; it may be killed between any two lines and the next driver goes on from the same place.
 */
import type { Clock, Random } from "#proto/common/clock.ts";
import { type Failure, failure, type Outcome } from "#proto/common/failure.ts";
import type { ConnectRequest, ConnectResponse } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import type { Word } from "../domain/check.ts";
import type { ClusterSample, Gates } from "../domain/gate.ts";
import type { PlanProgram } from "../domain/plan.ts";
import { type Action, decide } from "../domain/rollout/decide.ts";
import type { RolloutFact } from "../domain/rollout/event.ts";
import {
  type HeldLock,
  type ProgramState,
  type RolloutState,
  stageOfWire,
  stageState,
} from "../domain/rollout/state.ts";
import type { AgentReports } from "./agent-reports.ts";
import { takeGate, takeSample } from "./gate-watch.ts";
import { Inbox, type Mail } from "./inbox.ts";
import type { RolloutJournal } from "./journal.ts";
import type { LockDeeds } from "./lock-deeds.ts";
import type { Fleet } from "./ports.ts";
import { toEndedFact, toFailure, toProgram, toStepFact } from "./wire.ts";

export interface LookResult {
  /** Field by field; empty when nothing drifted. */
  readonly drift: readonly { readonly field: string; readonly planned: string; readonly found: string }[];
  /** Window, freeze or blocker: wait, nothing is wrong. */
  readonly notNow?: Failure;
  readonly refused?: Failure;
}

export interface DriverMeans {
  readonly fleet: Fleet;
  readonly reports: AgentReports;
  readonly deeds: LockDeeds;
  readonly clock: Clock;
  readonly random: Random;
  readonly nonce: () => string;
  readonly gates: Gates;
  members(cluster: string): readonly string[];
  lookBeforeGrant(state: RolloutState, stage: string): Promise<LookResult>;
  takeSnapshot(reason: string, clusters: readonly string[]): Promise<Outcome<string>>;
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

const tickMs = 1_000;
const forEver = 24 * 3_600_000;

export class RolloutDriver {
  readonly inbox: Inbox;
  readonly #journal: RolloutJournal;
  readonly #means: DriverMeans;
  readonly #stopped: AbortSignal;
  /** The cluster as it was when the stage began, for gates that compare. */
  readonly #before = new Map<string, ClusterSample>();
  #recovered = false;
  #refusedSinceMs: number | undefined;

  constructor(journal: RolloutJournal, means: DriverMeans, stopped: AbortSignal) {
    this.#journal = journal;
    this.#means = means;
    this.#stopped = stopped;
    this.inbox = new Inbox(means.clock);
  }

  get state(): RolloutState {
    return this.#journal.state;
  }

  /** Runs until the rollout has ended or the signal aborts. Throws when the store is gone or another writes. */
  async run(): Promise<void> {
    while (!this.#stopped.aborted) {
      while (this.inbox.waiting) await this.#takeMail(0);
      const action = decide(this.state);
      if (action.do === "rest") {
        if (this.state.end !== undefined) return;
        await this.#takeMail(forEver);
        continue;
      }
      if (!this.#recovered && !(await this.#recover())) continue;
      await this.#perform(action);
    }
  }

  async #perform(action: Exclude<Action, { do: "rest" }>): Promise<void> {
    switch (action.do) {
      case "start-stage":
        return this.#startStage(action.stage, action.attempt);
      case "snapshot":
        return this.#snapshot(action.stage, action.when);
      case "take-gate":
        return this.#takeGate(action);
      case "look-before-grant":
        return this.#lookBeforeGrant(action.stage);
      case "grant":
        return this.#grant(action);
      case "announce":
        return this.#announce(action.stage);
      case "send":
        return this.#send(action);
      case "await-programs":
        return this.#awaitPrograms(action.stage, action.nodes);
      case "ask-to-stop":
        return this.#askToStop(action.stage, action.nodes);
      case "withdraw":
        return this.#withdraw(action.lock, action.why);
      case "free":
        return this.#free(action.lock);
      case "pass-phase":
        return this.#journal.append({ kind: "phase-passed", stage: action.stage, phase: action.phase });
      case "pass-stage":
        return this.#journal.append({ kind: "stage-passed", stage: action.stage });
      case "await-approval":
        return this.#rest(action.stage, action.why);
      case "pause":
        return this.#journal.append({ kind: "paused", by: "lockkeeper", reason: action.reason });
      case "stop":
        return this.#stop(action.stage, action.why, action.hint, action.node);
      case "finish-abort":
        await this.#journal.append({ kind: "aborted" });
        return this.#means.ended(this.state);
      case "finish":
        await this.#journal.append({ kind: "finished", notSeen: [] });
        return this.#means.ended(this.state);
    }
  }

  async #startStage(stage: string, attempt: number): Promise<void> {
    const spec = this.state.plan.stages.find(({ id }) => id === stage);
    if (spec?.kind === "node") {
      const { fleet, clock } = this.#means;
      this.#before.set(
        stage,
        await takeSample(fleet, clock, spec.cluster, this.#means.members(spec.cluster)),
      );
    }
    await this.#journal.append({ kind: "stage-started", stage, attempt });
  }

  async #snapshot(stage: string, when: "before" | "after"): Promise<void> {
    const { id, plan } = this.state;
    const taken = await this.#means.takeSnapshot(`${when} ${stage} of ${id}`, plan.clusters);
    if (taken.ok) await this.#journal.append({ kind: "snapshot-taken", stage, snapshot: taken.value, when });
    else await this.#stop(stage, taken.failure, "hint.nothing-touched");
  }

  async #takeGate({ stage, gate: spec, when }: Extract<Action, { do: "take-gate" }>): Promise<void> {
    const { fleet, clock, gates } = this.#means;
    const gate = gates[spec.gate];
    if (gate === undefined)
      return this.#stop(stage, failure("gate.unknown", { gate: spec.gate }), "hint.report-defect");
    const taken = await takeGate(spec, {
      fleet,
      clock,
      gate,
      members: this.#means.members(spec.cluster),
      before: this.#before.get(stage),
      waits: (why) => this.#journal.append({ kind: "gate-waited", stage, gate: spec.gate, when, why }),
      rest: (ms) => this.#restUnlessOrdered(ms),
    });
    if (taken.result === "passed") {
      const { dwellMs } = spec;
      return this.#journal.append({
        kind: "gate-passed",
        stage,
        gate: spec.gate,
        when,
        dwellMs,
        lastSampleAt: taken.lastSampleAt,
      });
    }
    if (taken.result === "refused") {
      const { why, hint } = taken;
      await this.#journal.append({ kind: "gate-failed", stage, gate: spec.gate, when, why, hint });
      await this.#stop(stage, why, hint, this.#nodeOf(stage));
    }
  }

  /** Sleeps while mail is absorbed; true as soon as an order (pause, abort) changes what comes next. */
  async #restUnlessOrdered(ms: number): Promise<boolean> {
    const { clock } = this.#means;
    const endMs = clock.monotonicMs() + ms;
    for (let leftMs = ms; leftMs > 0; leftMs = endMs - clock.monotonicMs()) {
      const mail = await this.#takeMail(leftMs);
      if (this.#stopped.aborted || mail?.kind === "order") return true;
    }
    return false;
  }

  async #lookBeforeGrant(stage: string): Promise<void> {
    const { drift, notNow, refused } = await this.#means.lookBeforeGrant(this.state, stage);
    if (drift.length > 0) {
      await this.#journal.append({ kind: "drift-found", stage, fields: drift });
      const fields = drift
        .map(({ field, planned, found }) => `${field}: planned ${planned}, found ${found}`)
        .join("; ");
      return this.#stop(stage, failure("plan.drift", { fields }), "hint.plan-anew");
    }
    if (refused !== undefined) return this.#stop(stage, refused, "hint.nothing-touched");
    if (notNow !== undefined) return this.#rest(stage, notNow, 30_000);
    await this.#journal.append({ kind: "checks-judged", stage, blocking: [] });
  }

  async #grant({ stage, clusters, nodes, scope }: Extract<Action, { do: "grant" }>): Promise<void> {
    const nonce = this.#means.nonce();
    const granted = await this.#means.deeds.grant({
      clusters,
      nodes,
      scope,
      rollout: this.state.id,
      stage,
      nonce,
    });
    if (granted.ok) {
      this.#refusedSinceMs = undefined;
      return this.#journal.append({
        kind: "granted",
        stage,
        clusters,
        nodes,
        scope,
        epochs: granted.value,
        nonce,
      });
    }
    if (await this.#answeredFor(granted.failure)) return;
    await this.#notYet(stage, granted.failure);
  }

  /** A person's word may stand for a node that lost its memory, or for the nodes of a broken lock. */
  async #answeredFor({ code, facts }: Failure): Promise<boolean> {
    const { clock, deeds, reports } = this.#means;
    const word = this.state.words.find(
      ({ check, until }) => check === code && (until === undefined || Date.parse(until) > clock.now()),
    );
    const cluster = facts["cluster"];
    if (word === undefined || cluster === undefined) return false;
    if (code === "node.unproven") {
      const node = facts["node"] ?? "";
      const stateId = reports.stateId(node);
      if (stateId === undefined) return false;
      await deeds.prove(node, stateId, word.by);
      return true;
    }
    if (code !== "lock.broken") return false;
    await deeds.clearBreak(cluster);
    return true;
  }

  async #notYet(stage: string, why: Failure): Promise<void> {
    const { clock, timing, random } = this.#means;
    this.#refusedSinceMs ??= clock.monotonicMs();
    const final =
      why.code === "node.unproven" ||
      why.code === "lock.broken" ||
      clock.monotonicMs() - this.#refusedSinceMs >= timing.grantLimitMs;
    if (final) {
      this.#refusedSinceMs = undefined;
      return this.#stop(stage, why, `hint.${why.code}`);
    }
    await this.#rest(stage, why, tickMs * (0.5 + random()));
  }

  async #announce(stage: string): Promise<void> {
    const { lock } = this.state;
    if (lock === undefined) return;
    const refusal = await this.#announceTo(lock);
    if (refusal === undefined) await this.#journal.append({ kind: "announced", stage, nonce: lock.nonce });
    else {
      await this.#withdraw(lock, refusal);
      await this.#means.clock.sleep(200 + 800 * this.#means.random(), this.#stopped).catch(() => undefined);
    }
  }

  /** Every agent of every cluster must say yes on this announcement; one no, or silence, takes the grant back. */
  async #announceTo(lock: HeldLock): Promise<Failure | undefined> {
    const { clock, fleet, timing } = this.#means;
    const awaited = new Set<string>();
    for (const [cluster, epoch] of Object.entries(lock.epochs)) {
      for (const node of this.#means.members(cluster)) {
        const value = {
          cluster,
          epoch,
          nonce: lock.nonce,
          rollout: this.state.id,
          nodes: lock.nodes,
          clusterScope: lock.scope === "cluster",
          auditHead: "",
        };
        if (!fleet.send(node, { $case: "epochNotice", value }))
          return failure("node.not-reported", { cluster, nodes: node });
        awaited.add(`${cluster} ${node}`);
      }
    }
    const endMs = clock.monotonicMs() + timing.answerLimitMs;
    while (awaited.size > 0) {
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0 || this.#stopped.aborted)
        return failure("node.silent", { nodes: [...awaited].map((each) => each.split(" ")[1]).join(", ") });
      const mail = await this.#takeMail(leftMs);
      if (mail?.kind !== "said" || mail.message.$case !== "epochSeen") continue;
      const { accepted, refusal, cluster, epoch, nonce } = mail.message.value;
      if (nonce !== lock.nonce || epoch !== lock.epochs[cluster]) continue;
      if (!accepted)
        return refusal === undefined
          ? failure("fence.refused", { node: mail.node })
          : { ...toFailure(refusal), facts: { ...refusal.facts, node: mail.node } };
      awaited.delete(`${cluster} ${mail.node}`);
    }
    return undefined;
  }

  async #send({ stage, phase, programs, attempt, lock }: Extract<Action, { do: "send" }>): Promise<void> {
    const facts = programs.map(
      ({ node, cluster }): RolloutFact => ({
        kind: "program-sent",
        stage,
        node,
        attempt,
        epoch: lock?.epochs[cluster] ?? 0,
        ...(phase === undefined ? {} : { phase }),
      }),
    );
    await this.#journal.append(...facts);
    const wireStage = phase === undefined ? stage : `${stage}/${phase}`;
    for (const program of programs)
      this.#sendProgram(program, { wireStage, attempt, ...(lock === undefined ? {} : { lock }) });
  }

  #sendProgram(
    program: PlanProgram,
    {
      wireStage,
      attempt,
      lock,
    }: { readonly wireStage: string; readonly attempt: number; readonly lock?: HeldLock },
  ): void {
    const epoch = lock?.epochs[program.cluster] ?? 0;
    const head = { rollout: this.state.id, stage: wireStage, attempt, epoch, nonce: lock?.nonce ?? "" };
    this.#means.fleet.send(program.node, {
      $case: "runProgram",
      value: { program: toProgram(program, head) },
    });
  }

  async #awaitPrograms(stage: string, nodes: readonly string[]): Promise<void> {
    const { clock, fleet, timing } = this.#means;
    const silentSince = new Map<string, number>();
    const sequence = this.state.sequence;
    let resendAtMs = clock.monotonicMs() + timing.answerLimitMs;
    while (!this.#stopped.aborted) {
      const mail = await this.#takeMail(tickMs);
      const action = decide(this.state);
      if (action.do !== "await-programs" || this.state.sequence - sequence > 500) return;
      const nowMs = clock.monotonicMs();
      for (const node of nodes) {
        if (fleet.presence(node) !== undefined) silentSince.delete(node);
        else if (!silentSince.has(node)) silentSince.set(node, nowMs);
        if (nowMs - (silentSince.get(node) ?? nowMs) >= timing.silenceLimitMs)
          return this.#stop(stage, failure("node.silent", { node }), "hint.node-silent", node);
      }
      if (mail?.kind === "attached" || nowMs >= resendAtMs) {
        resendAtMs = nowMs + timing.answerLimitMs;
        this.#resend(stage, nodes);
      }
    }
  }

  /** The message may have been lost: an agent that has the program already says so and does nothing twice. */
  #resend(stage: string, nodes: readonly string[]): void {
    const held = stageState(this.state, stage);
    for (const program of Object.values(held.programs)) {
      if (
        program.standing !== "sent" ||
        Object.keys(program.steps).length > 0 ||
        !nodes.includes(program.node)
      )
        continue;
      const spec = this.#specOf(program);
      const { wireStage, attempt } = program;
      if (spec !== undefined)
        this.#sendProgram(spec, {
          wireStage,
          attempt,
          ...(this.state.lock?.stage === stage ? { lock: this.state.lock } : {}),
        });
    }
  }

  #specOf({ wireStage, node }: ProgramState): PlanProgram | undefined {
    const spec = this.state.plan.stages.find(({ id }) => id === stageOfWire(wireStage));
    switch (spec?.kind) {
      case "preflight":
      case "finish":
        return spec.programs.find((program) => program.node === node);
      case "node":
        return spec.program;
      case "cluster":
        return spec.phases
          .find(({ id }) => `${spec.id}/${id}` === wireStage)
          ?.programs.find((program) => program.node === node);
      case "wait":
      case undefined:
        return undefined;
    }
  }

  async #askToStop(stage: string, nodes: readonly string[]): Promise<void> {
    const epochs = Object.values(this.state.lock?.epochs ?? {});
    for (const program of Object.values(stageState(this.state, stage).programs)) {
      if (program.standing === "ended" || !nodes.includes(program.node)) continue;
      const value = { rollout: this.state.id, stage: program.wireStage, epoch: epochs[0] ?? 0, undo: true };
      this.#means.fleet.send(program.node, { $case: "stopProgram", value });
    }
    await this.#takeMail(this.#means.timing.answerLimitMs);
  }

  async #withdraw(lock: HeldLock, why: Failure): Promise<void> {
    const { stage, nonce } = lock;
    for (const [cluster, epoch] of Object.entries(lock.epochs)) {
      const given = await this.#means.deeds.withdraw(
        cluster,
        { epoch, nonce },
        lock.nodes.filter((node) => this.#neverBegan(stage, node)),
      );
      if (given.ok && given.value.state !== "free" && given.value.nonce === nonce)
        return this.#stop(stage, failure("lock.held", { cluster, stage }), "hint.lock-stays");
      if (!given.ok && given.failure.code !== "lock.missing") return this.#notYet(stage, given.failure);
    }
    await this.#journal.append({ kind: "withdrawn", stage, nonce, why });
    this.#tellFreed(lock);
  }

  #neverBegan(stage: string, node: string): boolean {
    return Object.values(stageState(this.state, stage).programs).some(
      (program) => program.node === node && program.outcome === "never-begun",
    );
  }

  async #free(lock: HeldLock): Promise<void> {
    const { deeds, reports } = this.#means;
    for (const cluster of Object.keys(lock.epochs)) {
      const freed = await deeds.free(lock, cluster, { nodes: lock.entered });
      if (!freed.ok) return this.#notYet(lock.stage, freed.failure);
    }
    await this.#journal.append({ kind: "freed", stage: lock.stage, nonce: lock.nonce });
    for (const node of lock.entered) {
      const stateId = reports.stateId(node);
      if (stateId !== undefined) await deeds.prove(node, stateId, "gates");
    }
    this.#tellFreed(lock);
  }

  #tellFreed(lock: HeldLock): void {
    for (const [cluster, epoch] of Object.entries(lock.epochs)) {
      for (const node of this.#means.members(cluster)) {
        if (!lock.nodes.includes(node)) continue;
        const sent = this.#means.fleet.send(node, {
          $case: "programFreed",
          value: { rollout: this.state.id, stage: lock.stage, epoch },
        });
        if (sent) this.#means.reports.programGone(node);
      }
    }
  }

  /** An agent that missed the word "freed" would refuse every later epoch: it is told again when it attaches. */
  #tellFreedAgain(node: string): void {
    const unfinished = this.#means.reports.unfinished(node);
    if (unfinished === undefined || unfinished.rollout !== this.state.id) return;
    const { stage, epoch, nonce } = unfinished;
    const over = this.state.freed.find((freed) => freed.nonce === nonce);
    if (over === undefined) return;
    const value = { rollout: this.state.id, stage: over.stage, epoch };
    if (this.#means.fleet.send(node, { $case: "programFreed", value }) && stageOfWire(stage) === over.stage)
      this.#means.reports.programGone(node);
  }

  /**
   * After a start, and after every order: what the lock's record and the nodes' journals say of each other.
   * False when not enough is known yet.
   */
  async #recover(): Promise<boolean> {
    for (const cluster of this.state.plan.clusters) {
      const { record, what } = await this.#means.deeds.takeOver(cluster);
      if (record === undefined || record.rollout !== this.state.id) {
        if (this.state.lock !== undefined && this.state.lock.entered.length === 0 && record !== undefined)
          await this.#forgotten(cluster);
        continue;
      }
      const settled = await this.#settle(
        cluster,
        {
          epoch: record.epoch,
          nonce: record.nonce,
          stage: record.stage,
          entered: record.entered,
          nodes: record.nodes,
        },
        what,
      );
      if (!settled) return false;
      if (record.state === "free") await this.#settleFree(record.nonce, record.broken !== undefined);
    }
    this.#recovered = true;
    return true;
  }

  async #settle(
    cluster: string,
    record: {
      readonly epoch: number;
      readonly nonce: string;
      readonly stage: string;
      readonly entered: readonly string[];
      readonly nodes: readonly string[];
    },
    what: Awaited<ReturnType<LockDeeds["takeOver"]>>["what"],
  ): Promise<boolean> {
    const { deeds } = this.#means;
    const { epoch, nonce, stage } = record;
    const ours = this.state.lock?.nonce === nonce;
    switch (what.do) {
      case "nothing":
        return true;
      case "withdraw":
      case "free": {
        const given = await deeds.withdraw(
          cluster,
          { epoch, nonce },
          what.do === "free" ? record.entered : [],
        );
        if (given.ok && ours)
          await this.#journal.append({
            kind: "withdrawn",
            stage,
            nonce,
            why: failure("lock.taken-over", { cluster }),
          });
        return given.ok;
      }
      case "adopt":
      case "judge": {
        const missing = record.entered.filter((node) => ours && !this.state.lock?.entered.includes(node));
        await this.#journal.append(
          ...missing.map((node): RolloutFact => ({ kind: "entered", stage, node, epoch })),
        );
        return true;
      }
      case "wait":
        return this.#awaitHolder(stage, what.why);
    }
  }

  /** The holder is silent: nothing is granted; after the limit a person is told, and the lock stays. */
  async #awaitHolder(stage: string, why: Failure): Promise<boolean> {
    const { clock, timing } = this.#means;
    this.#refusedSinceMs ??= clock.monotonicMs();
    if (clock.monotonicMs() - this.#refusedSinceMs >= timing.silenceLimitMs) {
      this.#refusedSinceMs = undefined;
      this.#recovered = true;
      await this.#stop(stage, why, "hint.node-silent");
      return false;
    }
    await this.#rest(stage, why, tickMs);
    return false;
  }

  /** The record is free under our nonce: the compare-and-swap was done, only its event is missing. */
  async #settleFree(nonce: string, broken: boolean): Promise<void> {
    const { lock } = this.state;
    if (lock?.nonce !== nonce) return;
    const { stage } = lock;
    if (broken) return;
    if (lock.entered.length > 0) await this.#journal.append({ kind: "freed", stage, nonce });
    else await this.#journal.append({ kind: "withdrawn", stage, nonce, why: failure("lock.taken-over", {}) });
  }

  /** The store has forgotten a grant that nobody had entered. */
  async #forgotten(cluster: string): Promise<void> {
    const { lock } = this.state;
    if (lock === undefined) return;
    await this.#journal.append({
      kind: "withdrawn",
      stage: lock.stage,
      nonce: lock.nonce,
      why: failure("lock.missing", { cluster }),
    });
  }

  async #rest(_stage: string, why: Failure, limitMs = forEver): Promise<void> {
    const known = this.state.waiting?.why;
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(why))
      await this.#journal.append({ kind: "waited", stage: _stage, why });
    await this.#takeMail(limitMs);
  }

  async #stop(stage: string, why: Failure, hint: string, node?: string): Promise<void> {
    await this.#journal.append({
      kind: "stopped",
      stage,
      why,
      hint,
      ...(node === undefined ? {} : { node }),
    });
  }

  #nodeOf(stage: string): string | undefined {
    const spec = this.state.plan.stages.find(({ id }) => id === stage);
    return spec?.kind === "node" ? spec.node : undefined;
  }

  /** Takes one mail, if one comes, and does what every state owes it. */
  async #takeMail(limitMs: number): Promise<Mail | undefined> {
    const mail = await this.inbox.take(limitMs, this.#stopped);
    if (mail === undefined) return undefined;
    switch (mail.kind) {
      case "said":
        await this.#heard(mail.node, mail.message);
        break;
      case "attached":
        this.#tellFreedAgain(mail.node);
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
      await this.#journal.append(fact);
      this.#recovered = false;
      this.#refusedSinceMs = undefined;
      done(true);
    } catch (error) {
      done(false);
      throw error;
    }
  }

  async #heard(node: string, message: NonNullable<ConnectRequest["message"]>): Promise<void> {
    switch (message.$case) {
      case "stepEvent":
        return this.#store(node, message.value.sequence, toStepFact(node, message.value));
      case "programEnded":
        return this.#store(node, message.value.sequence, toEndedFact(node, message.value));
      case "watchFired": {
        const { sequence, id, measured, reacted, failure: why } = message.value;
        return this.#store(node, sequence, {
          kind: "watch-fired",
          watch: id,
          node,
          measured,
          reacted,
          ...(why === undefined ? {} : { failure: toFailure(why) }),
        });
      }
      case "holdMadePermanent": {
        const { sequence, stage, step, madePermanent, refusal } = message.value;
        return this.#store(node, sequence, {
          kind: "hold-made-permanent",
          stage,
          node,
          step,
          madePermanent,
          ...(refusal === undefined ? {} : { refusal: toFailure(refusal) }),
        });
      }
      case "programAccepted": {
        const { accepted, stage, attempt, refusal } = message.value;
        if (accepted) return;
        const why = refusal === undefined ? failure("program.refused", { node }) : toFailure(refusal);
        const refused: RolloutFact = {
          kind: "program-refused",
          stage: stageOfWire(stage),
          node,
          attempt,
          why,
        };
        const ended: RolloutFact = {
          kind: "program-ended",
          node,
          stage,
          attempt,
          agentSequence: 0,
          epoch: message.value.epoch,
          outcome: "failed",
          step: "",
          failure: why,
        };
        return this.#journal.append(refused, ended);
      }
      case "enterRequest":
        return this.#enter(node, message.value);
      case "enterAbandoned":
        return;
      case "hello":
      case "health":
      case "epochSeen":
      case "goodbye":
        return;
    }
  }

  /** Stored once, however often it is sent; only then may the agent stop resending. */
  async #store(node: string, sequence: number, fact: RolloutFact): Promise<void> {
    if (sequence > (this.state.agentSequences[node] ?? 0)) await this.#journal.append(fact);
    this.#means.fleet.send(node, { $case: "ack", value: { rollout: this.state.id, sequence } });
  }

  async #enter(
    node: string,
    { cluster, epoch, nonce }: { readonly cluster: string; readonly epoch: number; readonly nonce: string },
  ): Promise<void> {
    const { lock } = this.state;
    const refuse = (reason: Failure) =>
      this.#reply(node, {
        $case: "enterRefused",
        value: { cluster, epoch, nonce, reason: { code: reason.code, facts: { ...reason.facts } } },
      });
    if (lock?.nonce !== nonce || lock.epochs[cluster] !== epoch)
      return refuse(failure("lock.not-yours", { cluster, epoch: String(epoch) }));
    if (this.state.aborting && !lock.entered.includes(node))
      return refuse(failure("rollout.aborted", { rollout: this.state.id }));
    const record = await this.#means.deeds.enter(cluster, { epoch, nonce }, node);
    if (!record.ok) return refuse(record.failure);
    const { rollout, stage } = record.value;
    this.#means.reports.programStands(node, { cluster, rollout, stage, epoch, nonce, standing: "in-flight" });
    if (!lock.entered.includes(node))
      await this.#journal.append({ kind: "entered", stage: lock.stage, node, epoch });
    this.#reply(node, { $case: "enterGranted", value: { cluster, epoch, nonce } });
  }

  #reply(node: string, message: NonNullable<ConnectResponse["message"]>): void {
    this.#means.fleet.send(node, message);
  }

  /** The words that stand now, for whoever asks. */
  get words(): readonly Word[] {
    return this.state.words;
  }
}
