/** What a playbook is asked with: a survey of the cluster, or of two, and what is wished. */
import type { Clock } from "#proto/common/clock.ts";
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Hash } from "../../domain/audit.ts";
import type { ClusterEntry } from "../../domain/inventory.ts";
import type { BreakNote } from "../../domain/lock.ts";
import type { Plan } from "../../domain/plan.ts";
import type { ArtefactFacts, Playbook, PlaybookInput, Wish } from "../../domain/playbook.ts";
import type { RolloutState } from "../../domain/rollout/state.ts";
import type { HeldProgram } from "../agents/forgotten.ts";
import { playbookInput, type Survey, type SurveyedFleet, surveyCluster } from "./survey.ts";
import type { WantedTarget } from "./target.ts";

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

/** All that a playbook is asked with. */
export interface Prepared {
  readonly playbook: Playbook;
  readonly input: PlaybookInput;
  /** Why the first of the nodes that did not report has not. */
  readonly silent?: Failure;
}

type Wanted = WantedTarget & Pick<Wish, "back" | "mend"> & { readonly given?: Plan["artefact"] };

/** Refused: `cluster.unknown`, `engine.unknown`, `artefact.unknown`, `plan.strategy-unknown`. */
export async function prepare(
  means: PlanningMeans,
  { cluster: name, version, digest, strategy, method, into, given, back, mend }: Wanted,
): Promise<Outcome<Prepared>> {
  const { fleet, clock } = means;
  const cluster = means.cluster(name);
  if (cluster === undefined) return fail("cluster.unknown", { cluster: name });
  const playbook = means.playbook(cluster.engine);
  if (playbook === undefined) return fail("engine.unknown", { engine: cluster.engine });
  // of a rollout on its way the nodes have the package; another coordinator may have been given it
  const artefact = given ?? (digest === undefined ? undefined : await means.artefact(digest));
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
  const other = into === undefined ? undefined : means.cluster(into);
  if (into !== undefined && other === undefined) return fail("cluster.unknown", { cluster: into });
  const survey = await surveyCluster(fleet, clock, cluster);
  const input = playbookInput(fleet, clock, cluster, wish, survey);
  if (other === undefined) return succeed({ playbook, input, ...silentIn(survey) });
  const otherSurvey = await surveyCluster(fleet, clock, other);
  const seen = playbookInput(fleet, clock, other, wish, otherSurvey);
  const silent = { ...silentIn(otherSurvey), ...silentIn(survey) };
  return succeed({ playbook, input: { ...input, into: seen }, ...silent });
}
function silentIn(survey: Survey): { readonly silent?: Failure } {
  const silent = Object.values(survey).flatMap((report) => ("unknown" in report ? [report.unknown] : []))[0];
  return silent === undefined ? {} : { silent };
}

function isStrategy(word: string): word is NonNullable<Wish["strategy"]> {
  return word === "rolling" || word === "offline" || word === "move";
}
