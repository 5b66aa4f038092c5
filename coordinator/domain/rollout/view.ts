/** A rollout as it is shown: its state, without what only the engine needs. */
import { failure } from "#proto/common/failure.ts";
import { isAnsweredByWord } from "../asked-words.ts";
import { isNotNow } from "../check.ts";
import type { Stage } from "../plan.ts";
import { programsOf, stepsOf } from "../stage-programs.ts";
import type { RolloutPhase, RolloutView, StageView, WhyView } from "../views.ts";
import { whyEnded } from "./action.ts";
import { askedOf } from "./asked.ts";
import { decide, isOver } from "./decide.ts";
import { gateInHand, whoMoves } from "./gate-in-hand.ts";
import { leavesStanding, wayBackOf } from "./left-standing.ts";
import { outageOf } from "./outage.ts";
import { waitBehind } from "./reopening.ts";
import { type RolloutState, type StageState, stageState } from "./state.ts";
import { touchedBy } from "./touched.ts";
import { isPastReturn } from "./way-back.ts";

export function viewOf(state: RolloutState): RolloutView {
  const { plan, stop, waiting } = state;
  const [left] = leftBy(state);
  const gate = stop === undefined && state.end === undefined ? gateWaitingIn(state) : undefined;
  const inHand = gateInHand(state);
  return {
    id: state.id,
    clusters: plan.clusters,
    engine: plan.engine,
    from: plan.from,
    to: plan.to,
    strategy: plan.strategy,
    method: plan.method,
    planDigest: plan.digest,
    phase: phaseOf(state),
    startedAt: state.startedAt,
    by: state.by,
    lastSequence: state.sequence,
    stages: plan.stages.map((spec, index) => stageView(state, spec, state.stages[index])),
    words: state.words,
    snapshots: state.snapshots,
    notSeen: state.notSeen,
    mended: state.end === undefined ? state.stages.flatMap(({ told }) => told) : [],
    ...(stop === undefined
      ? {}
      : { stop: { ...stop, touched: touchedBy(state), command: commandFor(state), ...otherwise(state) } }),
    ...(left === undefined ? {} : { leftStanding: { why: left.waitingFor, command: wayBackFrom(state) } }),
    ...(waiting === undefined ? {} : { waitingFor: waiting }),
    ...(inHand === undefined ? {} : { gate: inHand }),
    ...(gate === undefined ? {} : { gateWaits: { why: gate.why, since: gate.since } }),
  };
}

export function phaseOf(state: RolloutState): RolloutPhase {
  if (state.end !== undefined) return state.end;
  if (state.stop !== undefined) return "stopped";
  if (state.aborting) return "aborting";
  if (state.paused !== undefined && decide(state).do === "rest") return "paused";
  if (askedOf(state) !== undefined) return "waiting";
  return state.waiting !== undefined && isNotNow(state.waiting.why) ? "waiting" : "running";
}

function stageView(state: RolloutState, spec: Stage, stage: StageState | undefined): StageView {
  const programs = Object.values(stage?.programs ?? {});
  return {
    id: spec.id,
    kind: spec.kind,
    nodes: nodesOf(spec),
    standing: standingOf(state, spec, stage),
    attempt: stage?.attempt ?? 0,
    steps: programs.flatMap(({ node, lastStep, steps, wireStage }) => {
      if (lastStep === undefined) return [];
      const ids = stepsOf(spec, { wireStage, node }).map(({ id }) => id);
      return [
        {
          node,
          step: lastStep,
          phase: steps[lastStep]?.phase ?? "",
          number: ids.indexOf(lastStep) + 1,
          of: ids.length,
        },
      ];
    }),
    ...(stage?.startedAt === undefined ? {} : { startedAt: stage.startedAt }),
    ...(stage?.endedAt === undefined ? {} : { endedAt: stage.endedAt }),
  };
}

function standingOf(state: RolloutState, spec: Stage, stage: StageState | undefined): StageView["standing"] {
  if (stage === undefined || stage.standing === "pending") return "pending";
  if (stage.standing !== "started") return stage.standing;
  const programs = Object.values(stage.programs);
  if (programs.some(({ standing }) => standing !== "ended")) return "running";
  if (spec.kind === "wait") return "waiting";
  if (programs.length > 0) return "judging";
  return state.lock?.stage === spec.id ? "granted" : "gating";
}

function nodesOf(spec: Stage): readonly string[] {
  return [...new Set(programsOf(spec).map(({ program }) => program.node))];
}

/** Why this rollout does not go on, and what moves it. Nothing for one that runs or has ended well. */
export function whyOf(state: RolloutState): WhyView["answers"] {
  const answers = answersOf(state);
  const outage = state.end === undefined ? outageOf(state) : undefined;
  if (outage === undefined) return answers;
  const facts = { rollout: state.id, nodes: outage.nodes.join(", ") };
  const who = answers.some((answer) => answer.who === "who.operator") ? "who.operator" : "who.nobody-needed";
  return [...answers, { waitingFor: failure("rollout.down", facts), since: outage.since, who }];
}

function answersOf(state: RolloutState): WhyView["answers"] {
  const { id, stop, waiting, paused } = state;
  if (stop !== undefined) {
    const { why: waitingFor, at: since, hint } = stop;
    const command = commandFor(state);
    return [
      {
        waitingFor,
        since,
        who: "who.operator",
        command,
        stop: { hint, touched: touchedBy(state), ...otherwise(state) },
      },
    ];
  }
  if (state.end !== undefined) return leftBy(state);
  const asked = askedOf(state);
  if (asked !== undefined) {
    return [
      {
        waitingFor: asked.why,
        who: "who.operator",
        command: `lockkeeper approve ${id}`,
        ...(waiting === undefined ? {} : { since: waiting.since }),
      },
      ...heldUpBy(state),
    ];
  }
  if (paused !== undefined && decide(state).do === "rest") {
    const facts = { by: paused.by, reason: paused.reason };
    return [
      {
        waitingFor: { code: paused.reason === "" ? "rollout.paused-unsaid" : "rollout.paused", facts },
        since: paused.at,
        who: "who.operator",
        command: `lockkeeper resume ${id}`,
      },
    ];
  }
  const mending = mendingOf(state);
  if (mending !== undefined) return [mending];
  if (waiting !== undefined)
    return [{ waitingFor: waiting.why, since: waiting.since, who: whoMoves(waiting.why) }];
  return [
    ...(gateWaitingIn(state) === undefined ? measuring(state) : heldUpBy(state)),
    ...othersRunning(state),
  ];
}

/** One program of several has failed, and the stop comes when the others have ended: said at once, not then. */
function othersRunning(state: RolloutState): WhyView["answers"] {
  const open = state.stages.find(({ standing }) => standing === "started");
  const programs = Object.values(open?.programs ?? {});
  const failed = programs.find(({ standing, outcome }) => standing === "ended" && outcome !== "done");
  const running = programs.filter(({ standing }) => standing !== "ended");
  if (failed === undefined || running.length === 0) return [];
  const { node, lastStep: step = "" } = failed;
  const { code, facts } = whyEnded(failed);
  const others = running.map((each) => `${each.node} (${each.lastStep ?? "not begun"})`).join(", ");
  return [
    { waitingFor: { code, facts: { ...facts, node, step } }, who: "who.nobody-needed" },
    {
      waitingFor: failure("rollout.others-end-first", { node, others }),
      who: "who.nobody-needed",
      command: `lockkeeper abort ${state.id}`,
    },
  ];
}

/** Green so far, and not for long enough. */
function measuring(state: RolloutState): WhyView["answers"] {
  const gate = gateInHand(state);
  if (gate === undefined) return [];
  return [{ waitingFor: failure("rollout.measures", { stage: gate.stage }), who: "who.nobody-needed", gate }];
}

function heldUpBy(state: RolloutState): WhyView["answers"] {
  const waits = gateWaitingIn(state);
  if (waits === undefined) return [];
  const { why: waitingFor, since, isForPerson } = waits;
  return [{ waitingFor, since, who: isForPerson ? "who.operator" : whoMoves(waitingFor) }];
}

function gateWaitingIn({ stages }: RolloutState): StageState["gateWaits"] {
  return stages.find(({ standing, gateWaits }) => standing === "started" && gateWaits !== undefined)
    ?.gateWaits;
}

/** The stage that runs again for a wait further on. */
function mendingOf(state: RolloutState): WhyView["answers"][number] | undefined {
  const spec = state.plan.stages.find(({ id }) => !isOver(stageState(state, id)));
  const wait = spec === undefined ? undefined : waitBehind(state, spec);
  if (spec === undefined || wait === undefined) return undefined;
  const { reopenedFor, startedAt } = stageState(state, spec.id);
  const facts = { cause: reopenedFor?.code ?? "", ...reopenedFor?.facts, stage: spec.id, wait: wait.id };
  return {
    waitingFor: failure("rollout.mending", facts),
    who: "who.nobody-needed",
    ...(startedAt === undefined ? {} : { since: startedAt }),
  };
}

/** Going on is one way; where something cannot be undone, going back is a plan of its own, and a person chooses. */
function otherwise(state: RolloutState): { readonly otherwise?: string } {
  // there it is the first way, and not the other one
  if (state.stop?.hint === "hint.left-standing") return {};
  const isOpen = state.plan.back === undefined && isPastReturn(state);
  return isOpen ? { otherwise: `lockkeeper plan --back ${state.id} -o back.json` } : {};
}

function wayBackFrom(state: RolloutState): string {
  return `lockkeeper plan --back ${wayBackOf(state)} -o back.json, then lockkeeper apply back.json`;
}

/** Given up as it stood: it is told until a way back has cleared it. */
function leftBy(state: RolloutState): WhyView["answers"] {
  if (state.end !== "aborted" || !leavesStanding(state)) return [];
  const waitingFor = failure("rollout.given-up", { rollout: wayBackOf(state) });
  return [{ waitingFor, who: "who.operator", command: wayBackFrom(state) }];
}

function commandFor(state: RolloutState): string {
  const { id, stop, lock, aborting } = state;
  if (stop?.hint === "hint.left-standing") return wayBackFrom(state);
  if (aborting && stop?.hint !== "hint.past-return") return `lockkeeper abort ${id}`;
  if (stop?.hint === "hint.plan-anew") return `lockkeeper abort ${id}, then plan anew`;
  if (stop !== undefined && isAnsweredByWord(stop.why.code, state.plan))
    return `lockkeeper resume ${id} --ack ${stop.why.code} --reason "…"`;
  return stop?.node !== undefined && lock !== undefined
    ? `lockkeeper retry ${id} -n ${stop.node}`
    : `lockkeeper resume ${id}`;
}
