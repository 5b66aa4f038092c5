/**
 * What a leading coordinator does, step for step as the engine's driver: granting, announcing, hearing, freeing,
 * recovering. It wants any node at any time, which is more than a rollout would: the lock must hold all the same.
 */
import { begunUnder } from "#coordinator/domain/lock-recovery.ts";
import type { EnterRequest } from "#proto/gen/lockkeeper/v1/agent_pb.ts";
import { OnDeadline, type Program, ProgramOutcome, StepClass } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import {
  Deposed,
  type Held,
  type Log,
  type Mail,
  readSurely,
  type Sender,
  type Steps,
  sleep,
  swapSurely,
  takeOne,
  Unreachable,
} from "./asking.ts";
import * as deeds from "./lock-steps.ts";
import type { Down, Up } from "./network.ts";
import type { Versioned } from "./register.ts";

const cluster = "c";
const rollout = "r";
const tickMs = 1_000;
const forEverMs = 24 * 3_600_000;
const answerLimitMs = 5_000;
const silenceLimitMs = 120_000;
const grantLimitMs = 60_000;

const steps: Program["steps"] = ["stop", "start"].map((id) => ({
  id,
  call: { verb: `sim.${id}`, args: {} },
  class: StepClass.REVERSIBLE,
  deadlineMs: 60_000,
  onDeadline: OnDeadline.END,
  mayStopAfter: false,
  holdLimitMs: 0,
}));

export interface DriverWorld extends deeds.LockStepsMeans {
  readonly send: Sender;
  readonly redialAll: () => void;
  /** One of `n`, from 0. */
  readonly pick: (n: number) => number;
  readonly freshMark: () => string;
}

const emptyLog: Log = { held: undefined, stop: undefined, freed: [], attempts: 0, heard: {}, mark: "" };

export class Driver {
  readonly #world: DriverWorld;
  #log: Versioned<Log> = { value: emptyLog, revision: 0 };
  #recovered = false;
  #refusedSinceMs: number | undefined;
  #sentAtMs = 0;

  constructor(world: DriverWorld) {
    this.#world = world;
  }

  *run(): Steps<never> {
    for (;;) {
      try {
        this.#log = (yield* readSurely(this.#world, "log")) ?? { value: emptyLog, revision: 0 };
        this.#recovered = false;
        this.#refusedSinceMs = undefined;
        for (;;) yield* this.#turn();
      } catch (error) {
        if (!(error instanceof Deposed) && !(error instanceof Unreachable)) throw error;
        yield* sleep(error instanceof Deposed ? 5_000 : tickMs);
        this.#world.redialAll();
      }
    }
  }

  get #held(): Held | undefined {
    return this.#log.value.held;
  }

  *#turn(): Steps<void> {
    for (let more = true; more; ) more = (yield* this.#takeMail(0)) !== undefined;
    if (this.#log.value.stop !== undefined) return void (yield* this.#takeMail(forEverMs));
    if (!this.#recovered && !(yield* this.#recover())) return;
    const held = this.#held;
    if (held === undefined) return yield* this.#grant();
    if (!held.announced) return yield* this.#announce(held);
    if (held.attempt === 0) return yield* this.#send(held);
    const running = held.nodes.filter((node) => held.ended[node] === undefined);
    if (running.length > 0) return yield* this.#await(held, running);
    const failed = held.nodes.find((node) => held.ended[node] !== "done");
    if (failed === undefined) return yield* this.#free(held);
    const untouched = held.ended[failed] === "never-begun" || !held.entered.includes(failed);
    const others = held.entered.filter((node) => node !== failed);
    if (!untouched || others.length > 0) return yield* this.#stop("program.ended");
    yield* this.#withdraw(held, held.ended[failed] === "failed" ? "program.refused" : undefined);
  }

  *#append(change: Partial<Log>): Steps<void> {
    const before = this.#log;
    const next: Log = { ...before.value, ...change, mark: this.#world.freshMark() };
    const isOurs = (found: Log) => found.mark === next.mark;
    const swap = { key: "log", before, next, isOurs, limitMs: 60_000 } as const;
    const result = yield* swapSurely(this.#world, swap);
    if (result === "unreachable") throw new Unreachable();
    if (result === "lost") throw new Deposed();
    this.#log = { value: next, revision: before.revision + 1 };
  }

  #stop(stop: string): Steps<void> {
    return this.#append({ stop });
  }

  *#takeMail(ms: number): Steps<Mail | undefined> {
    const mail = yield* takeOne(ms);
    if (mail?.kind === "said") yield* this.#hear(mail.node, mail.message);
    if (mail?.kind === "attached") this.#tellFreedAgain(mail.node);
    if (mail?.kind === "ordered") yield* this.#ordered(mail.answersFor);
    return mail;
  }

  *#ordered(answersFor: Readonly<Record<string, string>>): Steps<void> {
    const held = this.#held;
    yield* this.#append({ stop: undefined, held: held && { ...held, attempt: 0, ended: {} } });
    this.#recovered = false;
    this.#refusedSinceMs = undefined;
    for (const [node, stateId] of Object.entries(answersFor)) yield* deeds.prove(this.#world, node, stateId);
  }

  *#hear(node: string, message: Up): Steps<void> {
    if (message.$case === "enterRequest") return yield* this.#enter(node, message.value);
    if (message.$case === "programAccepted" && !message.value.accepted)
      return yield* this.#ended(node, message.value, "failed");
    if (message.$case !== "programEnded") return;
    const { sequence, outcome } = message.value;
    if (sequence <= (this.#log.value.heard[node] ?? 0)) return;
    const heard = { ...this.#log.value.heard, [node]: sequence };
    yield* this.#ended(node, message.value, outcomeOf(outcome), heard);
  }

  *#ended(
    node: string,
    { stage, attempt }: { readonly stage: string; readonly attempt: number },
    outcome: "done" | "never-begun" | "failed",
    heard = this.#log.value.heard,
  ): Steps<void> {
    const held = this.#held;
    const ofHeld =
      held !== undefined && held.stage === stage && held.attempt === attempt && held.nodes.includes(node);
    if (ofHeld) yield* this.#append({ heard, held: { ...held, ended: { ...held.ended, [node]: outcome } } });
    else yield* this.#append({ heard });
  }

  *#enter(node: string, { epoch, nonce, stage }: EnterRequest): Steps<void> {
    const { send, reports } = this.#world;
    const refuse = (code: "lock.not-yours" | "enter.refused") =>
      void send(node, {
        $case: "enterRefused",
        value: { cluster, epoch, nonce, reason: { code, facts: {} } },
      });
    if (this.#held?.nonce !== nonce || this.#held.epoch !== epoch) return refuse("lock.not-yours");
    const record = yield* deeds.enter(this.#world, { epoch, nonce }, node);
    if (!record.ok) return refuse("enter.refused");
    reports.programStands(node, { cluster, rollout, stage, epoch, nonce, standing: "in-flight" });
    const held = this.#held;
    if (!held.entered.includes(node)) yield* this.#append({ held: entered(held, [node]) });
    send(node, { $case: "enterGranted", value: { cluster, epoch, nonce } });
  }

  *#grant(): Steps<void> {
    const { members, pick, freshMark } = this.#world;
    const node = members[pick(members.length)] ?? "";
    const scope = pick(6) === 0 ? "cluster" : "node";
    const nodes = scope === "node" ? [node] : members.filter((each, index) => each === node || index === 0);
    const wish = { scope, nodes, stage: `node-${node}`, nonce: freshMark() } as const;
    const granted = yield* deeds.grant(this.#world, wish);
    if (!granted.ok) return yield* this.#notYet(granted.failure.code);
    this.#refusedSinceMs = undefined;
    const { epoch } = granted.value;
    yield* this.#append({
      held: { ...wish, epoch, announced: !this.#world.rules.announces, attempt: 0, entered: [], ended: {} },
    });
  }

  *#notYet(code: string): Steps<void> {
    this.#refusedSinceMs ??= this.#world.nowMs;
    const waitedMs = this.#world.nowMs - this.#refusedSinceMs;
    if (code === "node.unproven" || code === "lock.broken" || waitedMs >= grantLimitMs) {
      this.#refusedSinceMs = undefined;
      return yield* this.#stop(code);
    }
    yield* this.#takeMail(tickMs);
  }

  *#announce(held: Held): Steps<void> {
    if ((yield* this.#announceTo(held)) && (yield* deeds.whyNotReady(this.#world)) === undefined) {
      if (this.#held !== undefined) yield* this.#append({ held: { ...this.#held, announced: true } });
    } else {
      yield* this.#withdraw(held);
      yield* sleep(500);
    }
  }

  *#announceTo(held: Held): Steps<boolean> {
    const { members, send } = this.#world;
    const { epoch, nonce } = held;
    for (const node of members) if (!send(node, noticeOf(held))) return false;
    const awaited = new Set(members);
    const endMs = this.#world.nowMs + answerLimitMs;
    while (awaited.size > 0) {
      const leftMs = endMs - this.#world.nowMs;
      const mail = leftMs <= 0 ? undefined : yield* this.#takeMail(leftMs);
      if (leftMs <= 0) return false;
      if (mail?.kind !== "said" || mail.message.$case !== "epochSeen") continue;
      const seen = mail.message.value;
      if (seen.nonce !== nonce || seen.epoch !== epoch) continue;
      if (!seen.accepted) return false;
      awaited.delete(mail.node);
    }
    return true;
  }

  *#send(held: Held): Steps<void> {
    const attempt = this.#log.value.attempts + 1;
    yield* this.#append({ attempts: attempt, held: { ...held, attempt } });
    this.#sentAtMs = this.#world.nowMs;
    for (const node of held.nodes) this.#sendTo(node, { ...held, attempt });
  }

  #sendTo(node: string, held: Held): void {
    const { stage, attempt, epoch, nonce } = held;
    const { highestEpoch = epoch } = this.#world.reports.of(cluster, [node])[node] ?? {};
    if (highestEpoch < epoch) this.#world.send(node, noticeOf(held));
    const program = { rollout, stage, cluster, node, attempt, epoch, nonce, steps };
    this.#world.send(node, { $case: "runProgram", value: { program } });
  }

  *#await(held: Held, running: readonly string[]): Steps<void> {
    const mail = yield* this.#takeMail(tickMs);
    if (mail?.kind !== "attached" && this.#world.nowMs - this.#sentAtMs < answerLimitMs) return;
    this.#sentAtMs = this.#world.nowMs;
    const now = this.#held;
    if (now === undefined || now.nonce !== held.nonce) return;
    for (const node of running) if (!now.entered.includes(node)) this.#sendTo(node, now);
  }

  *#withdraw(held: Held, stop?: string): Steps<void> {
    if (yield* this.#adoptBegun()) return;
    const { epoch, nonce } = held;
    const neverBegan = held.nodes.filter((node) => held.ended[node] === "never-begun");
    const given = yield* deeds.withdraw(this.#world, { epoch, nonce }, neverBegan);
    if (given.ok && given.value.state !== "free" && given.value.nonce === nonce)
      return yield* this.#stop("lock.held");
    if (!given.ok && given.failure.code !== "lock.missing") return yield* this.#notYet(given.failure.code);
    yield* this.#append({ held: undefined, stop });
    this.#tellFreed(held);
  }

  *#free(held: Held): Steps<void> {
    const { reports } = this.#world;
    const isRunning = (node: string) =>
      reports.unfinished(node)?.nonce === held.nonce && reports.unfinished(node)?.standing === "in-flight";
    if (held.entered.some(isRunning)) return yield* this.#notYet("node.unfinished");
    const freed = yield* deeds.free(this.#world, held);
    if (!freed.ok) return yield* this.#notYet(freed.failure.code);
    yield* this.#append({ held: undefined, freed: [...this.#log.value.freed, held] });
    for (const node of held.entered) yield* deeds.meet(this.#world, node);
    this.#tellFreed(held);
  }

  #tellFreed({ nodes, stage, epoch }: Held): void {
    for (const node of nodes) {
      const sent = this.#world.send(node, { $case: "programFreed", value: { rollout, stage, epoch } });
      if (sent) this.#world.reports.programGone(node);
    }
  }

  #tellFreedAgain(node: string): void {
    const unfinished = this.#world.reports.unfinished(node);
    const over = this.#log.value.freed.find(({ nonce }) => nonce === unfinished?.nonce);
    if (unfinished === undefined || over === undefined) return;
    const value = { rollout, stage: over.stage, epoch: unfinished.epoch };
    if (this.#world.send(node, { $case: "programFreed", value })) this.#world.reports.programGone(node);
  }

  *#adoptBegun(): Steps<boolean> {
    const held = this.#held;
    if (held === undefined) return false;
    const reports = this.#world.reports.of(cluster, this.#world.members);
    const missing = begunUnder(held, reports).filter((node) => !held.entered.includes(node));
    if (missing.length > 0) yield* this.#append({ held: entered(held, missing) });
    return missing.length > 0;
  }

  *#recover(): Steps<boolean> {
    const { record, what } = yield* deeds.lookAtTakeOver(this.#world);
    this.#recovered = yield* this.#adoptBegun();
    if (this.#recovered) return true;
    const held = this.#held;
    const ours = record !== undefined && held?.nonce === record.nonce;
    if (what.do === "wait") return yield* this.#awaitHolder(what.why.code);
    if (record !== undefined && (what.do === "withdraw" || what.do === "free")) {
      const abandoned = what.do === "free" ? record.entered : [];
      const given = yield* deeds.withdraw(this.#world, record, abandoned);
      if (!given.ok) return false;
      if (ours) yield* this.#append({ held: undefined });
    }
    if (record !== undefined && held !== undefined && ours && (what.do === "adopt" || what.do === "judge"))
      yield* this.#append({ held: entered(held, what.nodes) });
    if (record?.state === "free" && ours) {
      const freed = held !== undefined && held.entered.length > 0 ? [held] : [];
      yield* this.#append({ held: undefined, freed: [...this.#log.value.freed, ...freed] });
    }
    this.#recovered = true;
    return true;
  }

  *#awaitHolder(code: string): Steps<boolean> {
    this.#refusedSinceMs ??= this.#world.nowMs;
    if (code === "node.unproven" || this.#world.nowMs - this.#refusedSinceMs >= silenceLimitMs) {
      this.#refusedSinceMs = undefined;
      this.#recovered = true;
      yield* this.#stop(code);
    } else yield* this.#takeMail(tickMs);
    return false;
  }
}

function noticeOf({ epoch, nonce, nodes, scope }: Held): Down {
  const value = { cluster, epoch, nonce, rollout, nodes, clusterScope: scope === "cluster", auditHead: "" };
  return { $case: "epochNotice", value };
}

function entered(held: Held, nodes: readonly string[]): Held {
  return { ...held, announced: true, entered: [...new Set([...held.entered, ...nodes])] };
}

function outcomeOf(outcome: ProgramOutcome): "done" | "never-begun" | "failed" {
  if (outcome === ProgramOutcome.DONE) return "done";
  return outcome === ProgramOutcome.NEVER_BEGUN ? "never-begun" : "failed";
}
