/** How a stage ends and begins again: waits, withdrawals, and the orders that people give. */
import { isNotNow } from "../check.ts";
import { freshStage, inStage, withoutWaiting } from "./alter.ts";
import type { RolloutFact } from "./event.ts";
import { seeingAgain } from "./kept-watches.ts";
import { isAnyPastReturn } from "./past-return.ts";
import { isMender } from "./reopening.ts";
import { type ProgramState, type RolloutState, type StageState, stageState } from "./state.ts";

export function passed(state: RolloutState, id: string, at: string): RolloutState {
  const isNode = state.plan.stages.some((stage) => stage.id === id && stage.kind === "node");
  const counted = isNode ? { ...state, nodesSinceResume: state.nodesSinceResume + 1 } : state;
  return inStage(withoutWaiting(counted), id, (stage) => ({ ...stage, standing: "passed", endedAt: at }));
}

/** Nothing was touched: the stage is tried again from its start, unless its program has told why not. */
export function withdrawn(stage: StageState): StageState {
  const refused = Object.values(stage.programs).some(
    ({ outcome }) => outcome === "failed" || outcome === "unknown" || outcome === "stopped",
  );
  if (refused) return { ...stage, withdrawals: stage.withdrawals + 1 };
  const { id, attempt, approved, snapshots, withdrawals } = stage;
  return { ...freshStage(id, attempt, stage), approved, snapshots, withdrawals: withdrawals + 1 };
}

/** A closed window may stay closed for hours: gates that were green before it are taken again after it. */
export function waited(
  state: RolloutState,
  { stage, why }: Extract<RolloutFact, { kind: "waited" }>,
  at: string,
): RolloutState {
  const noted = { ...state, waiting: { why, since: at } };
  return isNotNow(why)
    ? inStage(noted, stage, (each) => ({
        ...each,
        gatesPassed: each.gatesPassed.filter((passed) => !passed.startsWith("before:")),
      }))
    : noted;
}

/** For an abort: what was green or undone before it does not count. */
export function anew(stage: StageState): StageState {
  const programs = Object.entries(stage.programs).map(([key, { undoAsked: _asked, ...program }]) => [
    key,
    program,
  ]);
  return { ...stage, gatesPassed: [], programs: Object.fromEntries(programs) };
}

/** What kept it from going on is over; why it stopped is still told. */
function going(state: RolloutState): RolloutState {
  const { paused: _paused, leftTo: _left, gone: _gone, givenUp: _given, ...rest } = withoutWaiting(state);
  return rest;
}

export function resumed(state: RolloutState, words: RolloutState["words"]): RolloutState {
  const { stop, ...rest } = going(state);
  const next: RolloutState = {
    ...rest,
    aborting: false,
    words: [...state.words, ...answering(stop, words)],
    nodesSinceResume: 0,
  };
  return stop === undefined ? next : again({ ...next, stop }, stop.stage, undefined);
}

/** A word that answers a stop is good for what it was told of: this node, this state id, this break. */
export function answering(stop: RolloutState["stop"], words: RolloutState["words"]): RolloutState["words"] {
  return words.map((word) => (word.check === stop?.why.code ? { ...word, about: stop.why.facts } : word));
}

/**
 * The stage begins anew from what is true now: gates of the old attempt do not count. Programs that have done their
 * work under a lock that is still held, or was freed on proof, are not run again, unless on the node of a retry.
 */
export function again(state: RolloutState, id: string, node: string | undefined): RolloutState {
  const { stop: _stop, ...rest } = going(state);
  // the stage's programs make their holds anew; a refused one may stand by then
  const holds = Object.fromEntries(
    Object.entries(rest.holds).filter(([key, answer]) => answer === "permanent" && !key.startsWith(`${id}/`)),
  );
  const proven = rest.lock?.stage === id || rest.freed.some(({ stage }) => stage === id);
  const stands = proven && !isMender(rest, id) && !hasLapsed(state, id);
  // a person's yes at the end of a wait was for what that wait had come to
  const waits = state.plan.stages.some((spec) => spec.id === id && spec.kind === "wait");
  const stages = rest.stages.map((stage) => ({ ...seeingAgain(stage), reopened: 0 }));
  return inStage({ ...rest, stages, holds, aborting: false }, id, (stage) => ({
    ...freshStage(id, stage.attempt, stage),
    approved: stage.approved && !waits,
    snapshots: stage.snapshots,
    ...(stands ? { phasesPassed: stage.phasesPassed, programs: doneIn(stage, node) } : {}),
  }));
}

/** A hold is down: what was done behind it must be done again from the start, unless the stage is past return. */
function hasLapsed(state: RolloutState, id: string): boolean {
  const refused = Object.entries(state.holds).some(
    ([key, answer]) => answer !== "permanent" && key.startsWith(`${id}/`),
  );
  const stage = stageState(state, id);
  const spec = state.plan.stages.find((each) => each.id === id);
  // what a hold stood for is behind it then: to do it once more would be done to a world that has gone on
  if (spec !== undefined && isAnyPastReturn(spec, stage)) return false;
  return (
    refused ||
    Object.values(stage.programs).some((program) => isUndone(stage, program)) ||
    // by a program of an earlier try, whose work a later one has only found
    stage.begun.some((step) => step.undone && isOfPassed(stage.phasesPassed, step))
  );
}

/** Undone, or asked to be and telling of it only later, or of a passed phase and its work stands no more. */
function isUndone({ phasesPassed }: StageState, program: ProgramState): boolean {
  if (program.undoAsked !== undefined) return true;
  if (Object.values(program.steps).some(({ phase }) => phase === "undone")) return true;
  return isOfPassed(phasesPassed, program) && program.outcome !== "done";
}

function isOfPassed(
  phasesPassed: readonly string[],
  { wireStage }: Pick<ProgramState, "wireStage">,
): boolean {
  return phasesPassed.some((phase) => wireStage.endsWith(`/${phase}`));
}

function doneIn({ programs, phasesPassed }: StageState, node: string | undefined): StageState["programs"] {
  return Object.fromEntries(
    Object.entries(programs).filter(
      ([, program]) =>
        isOfPassed(phasesPassed, program) || (program.outcome === "done" && program.node !== node),
    ),
  );
}

export function skipped(state: RolloutState, node: string, at: string): RolloutState {
  const stage = state.plan.stages.find((each) => each.kind === "node" && each.node === node);
  const { stop } = state;
  // a stop of another node stands
  const going =
    stop !== undefined && (stop.stage === stage?.id || stop.node === node)
      ? again(state, stop.stage, undefined)
      : state;
  const noted = { ...going, skipped: [...state.skipped, node] };
  return stage === undefined
    ? noted
    : inStage(noted, stage.id, (each) => ({ ...each, standing: "skipped", endedAt: at }));
}
