/** Checks and plans: a survey of the cluster, put before its playbook. */
import { fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { type CheckResult, listed } from "../../domain/check.ts";
import { checkCommand } from "../../domain/check-command.ts";
import { canonical, digestedText, driftOf } from "../../domain/digest.ts";
import type { Plan } from "../../domain/plan.ts";
import type { RolloutState } from "../../domain/rollout/state.ts";
import { undoneBy, whyNoPlanBack } from "../../domain/rollout/way-back.ts";
import type { OpenWay } from "../../domain/way.ts";
import type { LookResult } from "../rollout-desk.ts";
import { lookBeforeGrant } from "./last-look.ts";
import { leftOver } from "./left-over.ts";
import { type PlanningMeans, type Prepared, prepare } from "./preparing.ts";
import { targetOf, type WantedTarget } from "./target.ts";

/**
 * Of a way back: how, and by which package of the old version; absent where the rollout and the nodes decide. `without`: the one of two
 * clusters whose servers are gone for good.
 */
export type BackWish = Pick<WantedTarget, "strategy" | "digest"> & { readonly without?: string };

export interface Choice {
  readonly ways: readonly OpenWay[];
  readonly plan: Outcome<Plan>;
}

export class Planning {
  readonly #means: PlanningMeans;

  constructor(means: PlanningMeans) {
    this.#means = means;
  }

  async check(target: WantedTarget): Promise<Outcome<readonly CheckResult[]>> {
    const asked = await prepare(this.#means, target);
    if (!asked.ok) return asked;
    const left = await leftOver(this.#means, asked.value.input);
    return succeed([...asked.value.playbook.check(asked.value.input), ...left]);
  }

  async plan(target: WantedTarget): Promise<Outcome<Plan>> {
    const found = await this.choose(target);
    return found.ok ? found.value.plan : found;
  }

  /** The ways that are open, and the plan of the one that is wanted or else taken by default; or why there is none. */
  async choose(target: WantedTarget): Promise<Outcome<Choice>> {
    const asked = await prepare(this.#means, target);
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const plan = await this.#made(asked.value, () => playbook.plan(input));
    return succeed({ ways: playbook.ways?.(input) ?? [], plan });
  }

  /** The way back from a rollout; made anew from the same rollout when it is applied. */
  async planBack(state: RolloutState, { without, ...wish }: BackWish = {}): Promise<Outcome<Plan>> {
    const { from, engine, clusters } = state.plan;
    if (without !== undefined && (clusters.length < 2 || !clusters.includes(without)))
      return fail("plan.without-unknown", {
        rollout: state.id,
        cluster: without,
        clusters: clusters.join(", "),
      });
    const [cluster = "", into] = clusters.filter((name) => name !== without);
    const back = undoneBy(state, {
      fromAnyStep: this.#means.playbook(engine)?.undoesPassedStages === true,
    });
    if (!back.ok) return back;
    const asked = await prepare(this.#means, {
      cluster,
      version: from,
      ...(into === undefined ? {} : { into }),
      back: back.value,
      ...wish,
    });
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const { planBack } = playbook;
    if (planBack === undefined || (clusters.length > 1 && playbook.undoesPassedStages !== true))
      return whyNoPlanBack(state);
    return this.#made(asked.value, () => planBack(input, back.value));
  }

  /** What mends the left-overs that `check` finds. */
  async planMend(cluster: string, mend: Readonly<Record<string, string>>): Promise<Outcome<Plan>> {
    const asked = await prepare(this.#means, { cluster, version: "", mend });
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const { planMend } = playbook;
    return planMend === undefined
      ? fail("mend.not-served", { cluster, engine: playbook.engine })
      : this.#made(asked.value, () => planMend(input));
  }

  #madeAgain(plan: Plan): Promise<Outcome<Plan>> {
    if (plan.mend !== undefined) return this.planMend(plan.clusters[0] ?? "", plan.mend);
    return plan.back === undefined ? this.plan(targetOf(plan)) : this.#backAgain(plan.back, plan);
  }

  async #backAgain(rollout: string, { strategy, artefact, clusters }: Plan): Promise<Outcome<Plan>> {
    const state = await this.#means.rollout(rollout);
    if (state === undefined) return fail("rollout.unknown", { name: rollout });
    const without = state.plan.clusters.find((name) => !clusters.includes(name));
    return this.planBack(state, {
      strategy,
      ...(artefact === undefined ? {} : { digest: artefact.digest }),
      ...(without === undefined ? {} : { without }),
    });
  }

  async #made({ input, silent }: Prepared, make: () => Outcome<Plan>): Promise<Outcome<Plan>> {
    if (silent !== undefined) return { ok: false, failure: silent };
    const made = make();
    if (!made.ok) return made;
    const left = await leftOver(this.#means, input);
    const words = left.flatMap(({ id, yields }) => (yields === "acknowledge" ? [id] : []));
    const asks = [...made.value.asks, ...new Set(words)];
    const plan = { ...made.value, asks, checks: [...made.value.checks, ...left] };
    return succeed({ ...plan, digest: this.digest(plan) });
  }

  digest(plan: Plan): string {
    return this.#means.hash(digestedText(plan));
  }

  /** The same plan made from today's facts; refused where it is another: `plan.edited`, `plan.drift`. */
  async again(plan: Plan): Promise<Outcome<Plan>> {
    if (this.digest(plan) !== plan.digest) return fail("plan.edited", { digest: plan.digest.slice(0, 12) });
    const cluster = plan.clusters[0] ?? "";
    const fresh = await this.#madeAgain(plan);
    if (!fresh.ok || fresh.value.digest === plan.digest) return fresh;
    const drift = driftOf(plan.boundTo, fresh.value.boundTo);
    const fields = drift
      .map(({ field, planned, found }) => `${field}: planned ${planned}, found ${found}`)
      .join("; ");
    return fail("plan.drift", { cluster, fields: fields === "" ? otherSteps(plan, fresh.value) : fields });
  }

  lookBeforeGrant(state: RolloutState): Promise<LookResult> {
    return lookBeforeGrant(this.#means, state);
  }
}

/** What moves by the minute binds no rollout that is under way; it may still make another plan of today's facts. */
function otherSteps(plan: Plan, fresh: Plan): string {
  const known = new Set(plan.stages.map(canonical));
  const stages = fresh.stages.filter((stage) => !known.has(canonical(stage))).map(({ id }) => id);
  const where = stages.length === 0 ? "" : ` of ${stages.join(", ")}`;
  return `the steps themselves${where} (other facts, or another lockkeeper made this plan)`;
}

/** Before a rollout has begun: nothing was touched. `idle`: checks for which a word was given, and none is asked for. */
export function checksRefuse(plan: Plan, results: readonly CheckResult[], idle: readonly string[]) {
  return failure("check.refused", {
    checks: listed(results),
    command: checkCommand(plan),
    ...(idle.length === 0 ? {} : { idle: idle.join(", ") }),
  });
}
