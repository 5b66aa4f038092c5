/**
 * The way back of an upgrade in place. Before the new server was opened: the old one serves again, and all that was made goes. After
 * it: the old one serves again, without the rows that were written since. With `link` there is none from the first start on.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { CheckResult } from "../../../domain/check.ts";
import type { ClusterStage, Phase, Plan, PlanStep } from "../../../domain/plan.ts";
import { planFormat } from "../../../domain/plan.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import type { Undone } from "../../../domain/undone.ts";
import { type Endpoint, gate, on, phase, proveServer } from "../move.ts";
import { result } from "../result.ts";
import * as shared from "../steps.ts";
import { fingerprintInPlace } from "./fingerprint.ts";
import { type PlaceNames, placeNamesIn } from "./place-names.ts";
import * as steps from "./steps.ts";
import { inPlaceMethod } from "./upgrade.ts";

interface Back {
  readonly endpoint: Endpoint;
  readonly names: PlaceNames;
  readonly of: { readonly of: string };
}

/** Refused: `postgresql.back-linked`, `postgresql.back-in-place-retired`, `postgresql.server-unknown`. */
export function planBackInPlace(input: PlaybookInput, undone: Undone): Outcome<Plan> {
  const { rollout, plan, nodes } = undone;
  const { cluster } = input;
  const [first] = cluster.nodes;
  const names = placeNamesIn(plan);
  if (first === undefined || names === undefined)
    return fail("postgresql.server-unknown", { cluster: cluster.name });
  const begun = (step: string) => nodes.some((each) => each.node === first.name && each.begun.includes(step));
  const facts = { rollout, data: names.data, newData: names.newData };
  if (begun("remove-old-data") || begun("forget")) return fail("postgresql.back-in-place-retired", facts);
  if (begun("start-new") && names.mode === "link") return fail("postgresql.back-linked", facts);
  const isOpened = begun("open-writes");
  const endpoint: Endpoint = {
    input,
    node: first.name,
    address: first.address,
    systemId: names.systemId,
    version: plan.from,
    major: plan.from,
  };
  const back = { endpoint, names, of: { of: rollout } };
  const checks = checksOf(undone, isOpened);
  return succeed({
    format: planFormat,
    digest: "",
    engine: "postgresql",
    clusters: [cluster.name],
    from: plan.to,
    to: plan.from,
    strategy: "offline",
    method: inPlaceMethod,
    back: rollout,
    standsAfterAbort: true,
    boundTo: fingerprintInPlace(input),
    stages: [
      returning(back, isOpened),
      {
        kind: "finish",
        id: "finish",
        programs: [on(endpoint, proveServer(endpoint))],
        gates: [gate("serves", endpoint, {}, { dwellMs: 0 })],
      },
    ],
    checks,
    asks: checks.filter(({ status }) => status === "unknown").map(({ id }) => id),
    ...(isOpened ? { pointOfNoReturn: "return/open/unfence-writes" } : {}),
    wayBack: ["way-back.postgresql.in-place-again"],
    warnings: isOpened ? ["warning.postgresql.rows-since", "warning.postgresql.new-data-stays"] : [],
  });
}

/** Whoever goes back after clients were let in gives up what they have written: it is said, and asked for. */
function checksOf({ rollout }: Undone, isOpened: boolean): readonly CheckResult[] {
  const told = result({ id: "back" }, "ok", { rollout, opened: isOpened ? "yes" : "no" });
  return isOpened
    ? [told, result({ id: "rows-since", yields: "acknowledge" }, "unknown", { rollout })]
    : [told];
}

function returning(back: Back, isOpened: boolean): ClusterStage {
  const { endpoint, of } = back;
  const phases: readonly Phase[] = isOpened ? withNewKept(back) : withNewGone(back);
  return {
    kind: "cluster",
    id: "return",
    endsWayBack: "passed",
    clusters: [endpoint.input.cluster.name],
    before: [],
    phases: [
      ...phases,
      phase(
        "forget",
        [
          on(
            endpoint,
            shared.hook("resumePooler"),
            steps.clearWork({ place: back.names }, of),
            shared.forget(of),
          ),
        ],
        {
          after: [gate("serves", endpoint, {})],
        },
      ),
    ],
    waysOnFailure: ["way.postgresql.again"],
  };
}

/** What was written since lies there and nowhere else. */
function withNewKept({ endpoint, names, of }: Back): readonly Phase[] {
  return [
    phase("stop", [
      on(endpoint, { ...steps.stopServer(names, "new", of), service: "goes" }, steps.mask(names, "new", of)),
    ]),
    // until here an abort starts the new server again; two that have taken rows are not exchanged once more
    phase("open", [on(endpoint, ...opening({ endpoint, names, of }, "irreversible"))]),
  ];
}

/** It may have been started, and no client was let in: what it holds is what the old one has. */
function withNewGone({ endpoint, names, of }: Back): readonly Phase[] {
  return [
    // nobody was served by it: there is nothing to come back to
    phase("stop", [on(endpoint, withoutUndo(steps.stopServer(names, "new", of)))]),
    phase("open", [on(endpoint, ...opening({ endpoint, names, of }, "reversible"))]),
    phase("clear", [
      on(
        endpoint,
        steps.removeData(names.newData, of),
        steps.removeConfiguration(of),
        steps.unmask(names, "new", of),
      ),
    ]),
  ];
}

function opening(
  { endpoint, names, of }: Back,
  stepClass: "reversible" | "irreversible",
): readonly PlanStep[] {
  const start = steps.startOld(names, of);
  return [
    stepClass === "reversible" ? withoutUndo(start) : start,
    proveServer(endpoint),
    { ...shared.unfence(of), class: stepClass, service: "is-back" },
  ];
}

function withoutUndo({ undo: _undo, ...step }: PlanStep): PlanStep {
  return step;
}
