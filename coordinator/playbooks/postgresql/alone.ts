/**
 * The way back where one of the two servers is gone for good. The other one is cleared of the move. Where it is the old one, and
 * clients had gone over, it is opened with the rows that had come back to it.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { ClusterStage, Plan } from "../../domain/plan.ts";
import { planFormat } from "../../domain/plan.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { Undone } from "../../domain/undone.ts";
import { clearing } from "./clearing.ts";
import { fingerprint } from "./fingerprint.ts";
import { databasesIn, provenIn, replacedOf } from "./first-plan.ts";
import { type Endpoint, endpointOf, gate, type Move, on, phase, proveServer } from "./move.ts";
import { moverOf } from "./movers.ts";
import { packagesBack } from "./packages/moved.ts";
import * as patroni from "./patroni.ts";
import { settingsBack } from "./restart-settings.ts";
import { result } from "./result.ts";
import { settingsOf } from "./settings.ts";
import * as steps from "./steps.ts";

/**
 * Also where `retire` had begun: the rows that had come to the old server by then are all that is left. Refused:
 * `postgresql.server-unknown`, `postgresql.server-replaced`; `postgresql.back-old-gone`, where the new server was never opened and only the old one had all rows.
 */
export function planBackAlone(input: PlaybookInput, back: Undone): Outcome<Plan> {
  const found = aloneOf(input, back);
  if (!found.ok) return found;
  const { move, left, isOld } = found.value;
  const begun = (step: string) => back.nodes.some((each) => each.begun.includes(step));
  const isOpened = begun("open-writes");
  if (!isOld && !isOpened)
    return fail("postgresql.back-old-gone", { rollout: back.rollout, cluster: input.cluster.name });
  const replaced = replacedOf(left, back);
  if (!replaced.ok) return replaced;
  const of = { of: back.rollout };
  const isTakenUp = isOld && isOpened;
  const checks = checksOf(back, { left, isTakenUp });
  const clear = clearing(move, {
    of,
    isOpened,
    managed: patroni.wayBack(back.plan, of),
    written: settingsBack(back.plan, of),
    added: packagesBack(back.plan, of),
  });
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [left.input.cluster.name],
    from: back.plan.to,
    to: back.plan.from,
    strategy: "move",
    method: back.plan.method,
    back: back.rollout,
    standsAfterAbort: true,
    boundTo: fingerprint(input),
    stages: [
      { kind: "preflight", id: "look", programs: [on(left, proveServer(left))] },
      ...(isTakenUp ? [takingUp(move, of)] : []),
      ...(isOld ? [] : [opening(move, of)]),
      { ...onlyOn(clear, left.input.cluster.name), before: [gate("serves", left, {})] },
      {
        kind: "finish",
        id: "finish",
        programs: [on(left, proveServer(left))],
        gates: [gate("serves", left, {}, { dwellMs: 0 })],
      },
    ],
    checks,
    asks: checks.flatMap(({ id, status }) => (status === "unknown" ? [id] : [])),
    ...(isTakenUp ? { pointOfNoReturn: "take-up/open/open-writes" } : {}),
    wayBack: ["way-back.postgresql.back"],
    warnings: isTakenUp ? ["warning.postgresql.rows-not-come"] : [],
  });
}

/** Of the server that is gone no more is known than the first plan says. */
function aloneOf(
  input: PlaybookInput,
  { plan }: Undone,
): Outcome<{ readonly move: Move; readonly left: Endpoint; readonly isOld: boolean }> {
  const endpoint = endpointOf(input);
  if (!endpoint.ok) return endpoint;
  const settings = settingsOf(input.cluster);
  if (!settings.ok) return settings;
  const left = endpoint.value;
  const [old = "", young = ""] = plan.clusters;
  const isOld = input.cluster.name === old;
  const cluster = isOld ? young : old;
  const proven = provenIn(plan, cluster);
  const mover = moverOf(plan.method);
  const databases = databasesIn(plan, old);
  if (proven === undefined || mover === undefined || databases === undefined)
    return fail("postgresql.move-strategy", {
      cluster,
      to: plan.to,
      method: plan.method,
      strategy: plan.strategy,
    });
  const gone: Endpoint = {
    ...proven,
    input: { ...input, cluster: { ...input.cluster, name: cluster, nodes: [] } },
    address: "",
    version: "",
    major: isOld ? plan.to : plan.from,
  };
  const [source, target] = isOld ? [left, gone] : [gone, left];
  const move = {
    source,
    target,
    databases,
    there: databases,
    settings: settings.value,
    mover,
    carried: { kinds: [], limitBytes: 0 },
  };
  return succeed({ move, left, isOld });
}

function checksOf(
  { rollout }: Undone,
  { left, isTakenUp }: { readonly left: Endpoint; readonly isTakenUp: boolean },
): readonly CheckResult[] {
  const facts = { rollout, left: left.input.cluster.name };
  const gone = result({ id: "other-gone", yields: "acknowledge" }, "unknown", facts);
  return isTakenUp
    ? [gone, result({ id: "rows-not-come", yields: "acknowledge" }, "unknown", facts)]
    : [gone];
}

function takingUp({ source, databases, mover }: Move, of: { readonly of: string }): ClusterStage {
  return {
    kind: "cluster",
    id: "take-up",
    clusters: [source.input.cluster.name],
    before: [gate("serves", source, {})],
    phases: [
      phase("end", [
        on(
          source,
          proveServer(source),
          // whatever may still come back to life over there writes nothing here any more
          mover.unsubscribe("back", databases, of),
          steps.advanceSequences(databases),
        ),
      ]),
      phase("open", [on(source, steps.wakeTriggers(databases, of), steps.openAlone(databases, of))], {
        after: [openedGate(source, databases)],
      }),
      phase("switch", [on(source, steps.hook("switchTrafficBack"), steps.hook("resumePooler"))]),
    ],
    waysOnFailure: ["way.postgresql.again"],
  };
}

/** The old one may have gone just when the new one was being opened. */
function opening({ target, databases }: Move, of: { readonly of: string }): ClusterStage {
  return {
    kind: "cluster",
    id: "open",
    clusters: [target.input.cluster.name],
    before: [gate("serves", target, {})],
    phases: [
      phase("open", [on(target, proveServer(target), steps.wakeTriggers(databases, of), steps.unfence(of))], {
        after: [openedGate(target, databases)],
      }),
    ],
    waysOnFailure: ["way.postgresql.again"],
  };
}

function openedGate(side: Endpoint, databases: readonly string[]) {
  return gate("opened", side, { databases: JSON.stringify(databases) }, { everyMs: 500, dwellMs: 0 });
}

function onlyOn(stage: ClusterStage, cluster: string): ClusterStage {
  const phases = stage.phases.map((each) => ({
    ...each,
    programs: each.programs.filter((program) => program.cluster === cluster),
  }));
  return { ...stage, clusters: [cluster], phases: phases.filter(({ programs }) => programs.length > 0) };
}
