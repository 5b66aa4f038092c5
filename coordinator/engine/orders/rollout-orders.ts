/** Orders about rollouts: begin one, steer one. Each is recorded in the audit log before it is carried out. */
import { type Facts, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Asked, askedFor, idleWords } from "../../domain/asked-words.ts";
import { blocking, type CheckResult, type Word } from "../../domain/check.ts";
import type { Plan } from "../../domain/plan.ts";
import { eventFormat, type RolloutEvent, type RolloutFact } from "../../domain/rollout/event.ts";
import { isGoneBackFrom, leaveToWayBack } from "../lock/leaving.ts";
import { letGoForgotten } from "../lock/letting-go.ts";
import type { ApplicationMeans, ApplyWish, Begun, GivenWord, OrderWish } from "./application-means.ts";
import type { Inquiries } from "./inquiries.ts";
import { notLeading } from "./not-leading.ts";
import { factFor, type OrderedRollout } from "./order-fact.ts";
import { checksRefuse } from "./planning.ts";

export class RolloutOrders {
  readonly #means: ApplicationMeans;
  readonly #inquiries: Inquiries;
  constructor(means: ApplicationMeans, inquiries: Inquiries) {
    this.#means = means;
    this.#inquiries = inquiries;
  }

  async apply(by: string, wish: ApplyWish): Promise<Outcome<Begun>> {
    const refused = notLeading(this.#means);
    if (refused !== undefined) return refused;
    const held = await this.#heldClaim(wish.plan);
    if (held !== undefined) return held;
    const plan = await this.#means.planning.again(wish.plan);
    if (!plan.ok) return plan;
    const given = this.#words(by, wish.words);
    if (!given.ok) return given;
    const words = aboutBreaks(given.value, plan.value.checks);
    const standing = blocking(plan.value.checks, words, this.#means.clock.now());
    const playbook = this.#means.playbook(plan.value.engine);
    const asked = { plan: plan.value, checks: plan.value.checks, playbook };
    const idle = idleWords(words, asked);
    if (standing.length > 0) return { ok: false, failure: checksRefuse(plan.value, standing, idle) };
    const left = await leaveToWayBack(this.#means, by, plan.value);
    if (!left.ok) return left;
    const begun = await this.#begin(by, plan.value, wish, words);
    if (!begun.ok) return begun;
    const notes = idle.map((check) => failure("word.not-asked-for", { check, ...listedIn(asked) }));
    return succeed({ rollout: begun.value, notes });
  }

  async #heldClaim(plan: Plan): Promise<Outcome<never> | undefined> {
    for (const cluster of plan.clusters) {
      const record = await this.#means.claims.holder(cluster);
      if (record !== undefined && record.rollout !== "" && !isGoneBackFrom(this.#means, plan, record.rollout))
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
    const left = await letGoForgotten(this.#means, plan.checks);
    if (!left.ok) {
      await claims.releaseAll(plan.clusters, { rollout, by });
      return left;
    }
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
    const refused = notLeading(this.#means);
    if (refused !== undefined) return refused;
    const state = this.#inquiries.openState(wish.rollout);
    if (state === undefined) return fail("rollout.not-open", { rollout: wish.rollout });
    const given = this.#words(by, wish.words);
    if (!given.ok) return given;
    const words = given.value;
    const playbook = this.#means.playbook(state.plan.engine);
    const idle = whyNotTaken(wish, { state, playbook });
    if (idle !== undefined) return idle;
    const fact = factFor(by, wish, { state, words, playbook, nowMs: this.#means.clock.now() });
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

  /** An override that never ends is one that nobody remembers. */
  #words(by: string, given: readonly GivenWord[]): Outcome<readonly Word[]> {
    const endless = given.find(({ kind, until }) => kind === "override" && until === undefined);
    if (endless !== undefined) return fail("word.override-without-until", { check: endless.check });
    const at = new Date(this.#means.clock.now()).toISOString();
    return succeed(given.map((word) => ({ ...word, by, at })));
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

/** A word with an order is for what stands there now: one that answers nothing was meant otherwise. */
function whyNotTaken(
  { order, words }: OrderWish,
  { state, playbook }: Pick<OrderedRollout, "state" | "playbook">,
): Outcome<never> | undefined {
  if (words.length === 0) return undefined;
  const { plan, stop, id } = state;
  if (order !== "resume" && order !== "retry")
    return fail("word.not-with-order", {
      order,
      rollout: id,
      check: words.map(({ check }) => check).join(", "),
    });
  const asked = {
    plan,
    checks: plan.checks,
    playbook,
    ...(stop === undefined ? {} : { stop: stop.why.code }),
  };
  const idle = idleWords(words, asked);
  if (idle.length === 0) return undefined;
  return fail("word.answers-nothing", { rollout: id, checks: idle.join(", "), ...listedIn(asked) });
}

function listedIn(asked: Asked): Facts {
  const checks = askedFor(asked);
  return checks.length === 0 ? {} : { asked: checks.join(", ") };
}

/** A word for a broken lock answers for the break that the plan showed, and for no later one. */
function aboutBreaks(words: readonly Word[], checks: readonly CheckResult[]): readonly Word[] {
  const shown = checks.find(({ id }) => id === "lock.broken");
  if (shown === undefined) return words;
  return words.map((word) => (word.check === shown.id ? { ...word, about: shown.facts } : word));
}
