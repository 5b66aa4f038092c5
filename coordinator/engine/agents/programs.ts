/** Programs on their way: sent, sent again when the message may be lost, awaited, asked to stop. */
import type { PlanProgram } from "../../domain/plan.ts";
import type { Action } from "../../domain/rollout/action.ts";
import { withAnswers } from "../../domain/rollout/answered.ts";
import { decide } from "../../domain/rollout/decide.ts";
import type { RolloutFact } from "../../domain/rollout/event.ts";
import { type HeldLock, type ProgramState, stageOfWire, stageState } from "../../domain/rollout/state.ts";
import { programsOf } from "../../domain/stage-programs.ts";
import { noticeOf } from "../lock/granting.ts";
import { type RolloutDesk, tickMs } from "../rollout-desk.ts";
import { askUntilMoved } from "./asking.ts";
import { stopsForSilence } from "./silence.ts";
import { toProgram } from "./wire.ts";

export async function send(
  desk: RolloutDesk,
  { stage, phase, programs, attempt, lock }: Extract<Action, { do: "send" }>,
): Promise<void> {
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
  const tries = stageState(desk.state, stage).withdrawals;
  if (tries > 0) await pause(desk);
  await desk.append(...facts);
  const wireStage = phase === undefined ? stage : `${stage}/${phase}`;
  for (const program of programs)
    sendProgram(desk, program, { wireStage, attempt, ...(lock === undefined ? {} : { lock }) });
}

/** Between tries, so that a store that elects its leader is not hurried. */
function pause({ means: { clock, random }, stopped }: RolloutDesk): Promise<void> {
  return clock.sleep(200 + 800 * random(), stopped).catch(() => undefined);
}

function sendProgram(
  desk: RolloutDesk,
  program: PlanProgram,
  {
    wireStage,
    attempt,
    lock,
  }: { readonly wireStage: string; readonly attempt: number; readonly lock?: HeldLock },
): void {
  const epoch = lock?.epochs[program.cluster] ?? 0;
  // one that has lost its memory since, and was answered for, does not know the epoch any more
  const { reports, fleet } = desk.means;
  const highest = reports.of(program.cluster, [program.node])[program.node]?.highestEpoch ?? epoch;
  if (lock !== undefined && highest < epoch) fleet.send(program.node, noticeOf(desk, lock, program.cluster));
  const head = { rollout: desk.state.id, stage: wireStage, attempt, epoch, nonce: lock?.nonce ?? "" };
  fleet.send(program.node, {
    $case: "runProgram",
    value: { program: toProgram(withAnswers(desk.state, program), head) },
  });
}

export async function awaitPrograms(
  desk: RolloutDesk,
  stage: string,
  nodes: readonly string[],
): Promise<void> {
  const { clock, timing } = desk.means;
  const sequence = desk.state.sequence;
  let resendAtMs = clock.monotonicMs() + timing.answerLimitMs;
  while (!desk.stopped.aborted) {
    const mail = await desk.takeMail(tickMs);
    const action = decide(desk.state);
    if (action.do !== "await-programs" || desk.state.sequence - sequence > 500) return;
    const nowMs = clock.monotonicMs();
    if (await stopsForSilence(desk, stage, action.nodes)) return;
    if (mail?.kind === "attached" || nowMs >= resendAtMs) {
      resendAtMs = nowMs + timing.answerLimitMs;
      resend(desk, stage, nodes);
    }
  }
}

/** The message may have been lost: an agent that has the program already says so and does nothing twice. */
function resend(desk: RolloutDesk, stage: string, nodes: readonly string[]): void {
  const held = stageState(desk.state, stage);
  for (const program of Object.values(held.programs)) {
    if (program.standing !== "sent" || Object.keys(program.steps).length > 0 || !nodes.includes(program.node))
      continue;
    const spec = specOf(desk, program);
    const { wireStage, attempt } = program;
    if (spec !== undefined)
      sendProgram(desk, spec, {
        wireStage,
        attempt,
        ...(desk.state.lock?.stage === stage ? { lock: desk.state.lock } : {}),
      });
  }
}

function specOf(desk: RolloutDesk, { wireStage, node }: ProgramState): PlanProgram | undefined {
  const spec = desk.state.plan.stages.find(({ id }) => id === stageOfWire(wireStage));
  const programs = spec === undefined ? [] : programsOf(spec);
  return programs.find((each) => each.wireStage === wireStage && each.program.node === node)?.program;
}

/** Stopped at its next safe boundary, and asked again until it says so: a step may take as long as its deadline. */
export function askToStop(desk: RolloutDesk, stage: string, nodes: readonly string[]): Promise<void> {
  const ask = () => {
    for (const program of Object.values(stageState(desk.state, stage).programs)) {
      if (program.standing === "ended" || !nodes.includes(program.node)) continue;
      const epoch = epochOf(desk, program);
      const asked = { rollout: desk.state.id, stage: program.wireStage, epoch };
      const wish = program.undoAsked ?? 0;
      const { fleet, reports } = desk.means;
      if (
        !fleet.send(program.node, {
          $case: "stopProgram",
          value: { ...asked, undo: true, ask: wish },
        })
      )
        continue;
      if (program.undoAsked !== undefined)
        reports.undoAsked(program.node, { ...asked, attempt: program.attempt, ask: wish });
    }
  };
  return askUntilMoved(desk, { stage, nodes, ask });
}

/** Of the cluster that the program belongs to: a rollout over several holds one epoch in each. */
function epochOf(desk: RolloutDesk, program: ProgramState): number {
  const cluster = specOf(desk, program)?.cluster ?? "";
  return desk.state.lock?.epochs[cluster] ?? 0;
}

export function askToUndo(desk: RolloutDesk, { programs }: Extract<Action, { do: "undo" }>): Promise<void> {
  return desk.append(
    ...programs.map(({ wireStage, node, attempt }): RolloutFact => {
      return { kind: "undo-asked", stage: wireStage, node, attempt };
    }),
  );
}
