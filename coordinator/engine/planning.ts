/** Checks, plans and the look before a grant: a survey of the cluster, put before its playbook. */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Hash } from "../domain/audit.ts";
import { blocking, type CheckResult } from "../domain/check.ts";
import { digestedText, driftOf } from "../domain/digest.ts";
import type { ClusterEntry } from "../domain/inventory.ts";
import { type BreakNote, brokenBy } from "../domain/lock.ts";
import type { Plan } from "../domain/plan.ts";
import type { ArtefactFacts, Playbook, PlaybookInput, Wish } from "../domain/playbook.ts";
import type { RolloutState } from "../domain/rollout/state.ts";
import { changedBy } from "../domain/rollout/touched.ts";
import { undoneBy, whyNoPlanBack } from "../domain/rollout/way-back.ts";
import type { Undone } from "../domain/undone.ts";
import type { OpenWay } from "../domain/way.ts";
import { isOpen } from "../domain/window.ts";
import { checkOf, type HeldProgram } from "./forgotten.ts";
import type { LookResult } from "./rollout-desk.ts";
import { playbookInput, type Survey, type SurveyedFleet, surveyCluster } from "./survey.ts";
import { nodeOfField, targetOf, type WantedTarget } from "./target.ts";

export type { WantedTarget } from "./target.ts";

export interface PlanningMeans {
  readonly fleet: SurveyedFleet;
  readonly clock: Clock;
  readonly hash: Hash;
  cluster(name: string): ClusterEntry | undefined;
  playbook(engine: string): Playbook | undefined;
  /** The note of a broken lock, as long as its nodes are not proven. */
  broken(cluster: string): Promise<BreakNote | undefined>;
  /** What the agents of these nodes hold for rollouts that the store has forgotten. */
  forgotten(nodes: readonly string[]): Promise<readonly HeldProgram[]>;
  /** A rollout by its id, open or ended. */
  rollout(id: string): Promise<RolloutState | undefined>;
  /** What is known of a package; undefined when nobody has pushed it. */
  artefact(digest: string): Promise<ArtefactFacts | undefined>;
}

interface Asked {
  readonly playbook: Playbook;
  readonly input: PlaybookInput;
  /** Why the first of the nodes that did not report has not. */
  readonly silent?: Failure;
}

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
    const asked = await this.#ask(target);
    if (!asked.ok) return asked;
    const left = await this.#leftOver(asked.value.input);
    return succeed([...asked.value.playbook.check(asked.value.input), ...left]);
  }

  async plan(target: WantedTarget): Promise<Outcome<Plan>> {
    const found = await this.choose(target);
    return found.ok ? found.value.plan : found;
  }

  /** The ways that are open, and the plan of the one that is wanted or else taken by default; or why there is none. */
  async choose(target: WantedTarget): Promise<Outcome<Choice>> {
    const asked = await this.#ask(target);
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const plan = await this.#made(asked.value, () => playbook.plan(input));
    return succeed({ ways: playbook.ways?.(input) ?? [], plan });
  }

  /** The way back from a rollout; made anew from the same rollout when it is applied. */
  async planBack(state: RolloutState, strategy?: string): Promise<Outcome<Plan>> {
    const back = undoneBy(state);
    if (!back.ok) return back;
    const { clusters, from } = state.plan;
    const asked = await this.#ask({
      cluster: clusters[0] ?? "",
      version: from,
      back: back.value,
      ...(strategy === undefined ? {} : { strategy }),
    });
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const { planBack } = playbook;
    if (planBack === undefined || clusters.length !== 1) return whyNoPlanBack(state);
    return this.#made(asked.value, () => planBack(input, back.value));
  }

  /** What mends the left-overs that `check` finds. */
  async planMend(cluster: string, mend: Readonly<Record<string, string>>): Promise<Outcome<Plan>> {
    const asked = await this.#ask({ cluster, version: "", mend });
    if (!asked.ok) return asked;
    const { playbook, input } = asked.value;
    const { planMend } = playbook;
    return planMend === undefined
      ? fail("mend.not-served", { cluster, engine: playbook.engine })
      : this.#made(asked.value, () => planMend(input));
  }

  #madeAgain(plan: Plan): Promise<Outcome<Plan>> {
    if (plan.mend !== undefined) return this.planMend(plan.clusters[0] ?? "", plan.mend);
    return plan.back === undefined ? this.plan(targetOf(plan)) : this.#backAgain(plan.back, plan.strategy);
  }

  async #backAgain(rollout: string, strategy: string): Promise<Outcome<Plan>> {
    const state = await this.#means.rollout(rollout);
    return state === undefined ? fail("rollout.unknown", { name: rollout }) : this.planBack(state, strategy);
  }

  async #made({ input, silent }: Asked, make: () => Outcome<Plan>): Promise<Outcome<Plan>> {
    if (silent !== undefined) return { ok: false, failure: silent };
    const made = make();
    if (!made.ok) return made;
    const left = await this.#leftOver(input);
    const words = left.flatMap(({ id, yields }) => (yields === "acknowledge" ? [id] : []));
    const asks = [...made.value.asks, ...new Set(words)];
    const plan = { ...made.value, asks, checks: [...made.value.checks, ...left] };
    return succeed({ ...plan, digest: this.digest(plan) });
  }

  /** What earlier rollouts have left, and a person has to answer for. */
  async #leftOver(input: PlaybookInput): Promise<readonly CheckResult[]> {
    const clusters = [input.cluster, ...(input.into === undefined ? [] : [input.into.cluster])];
    const nodes = clusters.flatMap((cluster) => cluster.nodes.map(({ name }) => name));
    const [breaks, held] = await Promise.all([this.#breaks(input), this.#means.forgotten(nodes)]);
    return [...breaks, ...held.map(checkOf)];
  }

  /** A node whose lock was broken is not known to be well: a person has to say so. */
  async #breaks({ cluster, into }: PlaybookInput): Promise<readonly CheckResult[]> {
    const names = [cluster.name, ...(into === undefined ? [] : [into.cluster.name])];
    const found = await Promise.all(
      names.map(async (name) => {
        const note = await this.#means.broken(name);
        return note === undefined ? [] : [brokenBy(name, note).facts];
      }),
    );
    return found.flat().map((facts): CheckResult => {
      return { id: "lock.broken", status: "unknown", facts, yields: "acknowledge" };
    });
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
    return fail("plan.drift", {
      cluster,
      fields: fields === "" ? "the steps themselves (another lockkeeper made this plan)" : fields,
    });
  }

  /** Immediately before a grant: has the world moved away from the plan, and may a node be started now? */
  async lookBeforeGrant(state: RolloutState): Promise<LookResult> {
    const { plan } = state;
    for (const name of plan.clusters) {
      const cluster = this.#means.cluster(name);
      if (cluster === undefined) return { drift: [], refused: failure("cluster.unknown", { cluster: name }) };
      if (cluster.freeze !== undefined)
        return { drift: [], notNow: failure("freeze.set", { cluster: name, why: cluster.freeze }) };
      if (!isOpen(cluster.windows, this.#means.clock.now()))
        return {
          drift: [],
          notNow: failure("window.closed", { cluster: name, windows: cluster.windows.join(", ") }),
        };
    }
    const mend = plan.mend === undefined ? {} : { mend: plan.mend };
    const given = plan.artefact === undefined ? {} : { given: plan.artefact };
    const asked = await this.#ask({ ...targetOf(plan), ...given, ...(await this.#backOf(plan)), ...mend });
    if (!asked.ok) return { drift: [], refused: asked.failure };
    // what a node did not say is not drift
    if (asked.value.silent !== undefined) return { drift: [], notYet: asked.value.silent };
    const { playbook, input } = asked.value;
    const changed = changedBy(state);
    const drift = driftOf(plan.boundTo, playbook.fingerprint(input)).filter(
      ({ field }) => !changed.includes(nodeOfField(field) ?? ""),
    );
    if (drift.length > 0) return { drift };
    const blocker = playbook.blockers?.(input)[0];
    if (blocker !== undefined) return { drift: [], notNow: blocker };
    const standing = blocking(plan.checks, state.words, this.#means.clock.now());
    return standing.length === 0
      ? { drift: [] }
      : { drift: [], refused: failure("check.lapsed", { checks: listed(standing) }) };
  }

  async #backOf({ back }: Plan): Promise<{ readonly back?: Undone }> {
    const state = back === undefined ? undefined : await this.#means.rollout(back);
    const undone = state === undefined ? undefined : undoneBy(state);
    return undone?.ok === true ? { back: undone.value } : {};
  }

  async #ask({
    cluster: name,
    version,
    digest,
    strategy,
    method,
    into,
    given,
    back,
    mend,
  }: WantedTarget & Pick<Wish, "back" | "mend"> & { readonly given?: Plan["artefact"] }): Promise<
    Outcome<Asked>
  > {
    const { fleet, clock } = this.#means;
    const cluster = this.#means.cluster(name);
    if (cluster === undefined) return fail("cluster.unknown", { cluster: name });
    const playbook = this.#means.playbook(cluster.engine);
    if (playbook === undefined) return fail("engine.unknown", { engine: cluster.engine });
    // of a rollout on its way the nodes have the package; another coordinator may have been given it
    const artefact = given ?? (digest === undefined ? undefined : await this.#means.artefact(digest));
    if (digest !== undefined && artefact === undefined) return fail("artefact.unknown", { digest });
    if (strategy !== undefined && !isStrategy(strategy)) return fail("plan.strategy-unknown", { strategy });
    const wish: Wish = {
      to: version,
      ...(strategy === undefined ? {} : { strategy }),
      ...(method === undefined ? {} : { method }),
      ...(into === undefined ? {} : { into }),
      ...(artefact === undefined ? {} : { artefact }),
      ...(back === undefined ? {} : { back }),
      ...(mend === undefined ? {} : { mend }),
    };
    const other = into === undefined ? undefined : this.#means.cluster(into);
    if (into !== undefined && other === undefined) return fail("cluster.unknown", { cluster: into });
    const survey = await surveyCluster(fleet, clock, cluster);
    const input = playbookInput(fleet, clock, cluster, wish, survey);
    if (other === undefined) return succeed({ playbook, input, ...silentIn(survey) });
    const otherSurvey = await surveyCluster(fleet, clock, other);
    const seen = playbookInput(fleet, clock, other, wish, otherSurvey);
    const silent = { ...silentIn(otherSurvey), ...silentIn(survey) };
    return succeed({ playbook, input: { ...input, into: seen }, ...silent });
  }
}

function silentIn(survey: Survey): { readonly silent?: Failure } {
  const silent = Object.values(survey).flatMap((report) => ("unknown" in report ? [report.unknown] : []))[0];
  return silent === undefined ? {} : { silent };
}

function listed(results: readonly CheckResult[]): string {
  return results
    .map(({ id, node, status }) => `${node === undefined ? "" : `${node} `}${id} ${status}`)
    .join(", ");
}

/** Before a rollout has begun: nothing was touched. */
export function checksRefuse(results: readonly CheckResult[]) {
  return failure("check.refused", { checks: listed(results) });
}

function isStrategy(word: string): word is NonNullable<Wish["strategy"]> {
  return word === "rolling" || word === "offline" || word === "move";
}
