/** A cluster stage: one lock of cluster scope over ordered phases, each one program per node. */
import type { ClusterStage, Phase } from "../plan.ts";
import { type Action, nextGate } from "./action.ts";
import { nextHold, stopForLapsed } from "./hold.ts";
import { wantedOf } from "./skipped.ts";
import { type HeldLock, programKey, type RolloutState, type StageState } from "./state.ts";
import { afterWithdrawn, beforeGrant, enterAgain, lockOf, programFailed } from "./under-lock.ts";

export function decideCluster(state: RolloutState, spec: ClusterStage, stage: StageState): Action {
  const lock = lockOf(state, spec.id);
  if (lock === undefined) {
    if (spec.phases.every(({ id }) => stage.phasesPassed.includes(id))) {
      return stage.snapshots.includes("after")
        ? { do: "pass-stage", stage: spec.id }
        : { do: "snapshot", stage: spec.id, when: "after" };
    }
    const nodes = nodesOf(state, spec, stage);
    if (nodes.length === 0) return { do: "pass-stage", stage: spec.id };
    return (
      afterWithdrawn(spec.id, stage) ??
      beforeGrant(state, spec, stage) ?? {
        do: "grant",
        stage: spec.id,
        clusters: spec.clusters,
        nodes,
        scope: "cluster",
      }
    );
  }
  if (!lock.announced) return { do: "announce", stage: spec.id };
  const phase = spec.phases.find(({ id }) => !stage.phasesPassed.includes(id));
  return phase === undefined
    ? { do: "free", stage: spec.id, lock }
    : decidePhase(state, spec, stage, { phase, lock });
}

function nodesOf(
  state: RolloutState,
  { id, touches = [], phases }: ClusterStage,
  stage: StageState,
): readonly string[] {
  const wanted = phases.flatMap((phase) =>
    wantedOf(state, stage, { wireStage: `${id}/${phase.id}`, programs: phase.programs }),
  );
  return [...new Set([...touches, ...wanted.map(({ node }) => node)])].sort();
}

function decidePhase(
  state: RolloutState,
  spec: ClusterStage,
  stage: StageState,
  { phase, lock }: { readonly phase: Phase; readonly lock: HeldLock },
): Action {
  const wireStage = `${spec.id}/${phase.id}`;
  const wanted = wantedOf(state, stage, { wireStage, programs: phase.programs });
  const states = wanted.map(({ node }) => stage.programs[programKey(wireStage, node)]);
  const failed = states.find((program) => program?.standing === "ended" && program.outcome !== "done");
  const running = states.flatMap((program) =>
    program !== undefined && program.standing !== "ended" ? [program.node] : [],
  );
  if (failed !== undefined && running.length === 0)
    return (
      enterAgain(spec, stage, { phase: phase.id, programs: phase.programs, lock, failed }) ??
      stopForLapsed(spec, stage, failed) ??
      programFailed(stage, lock, failed)
    );
  const unsent = failed === undefined ? wanted.filter((_, index) => states[index] === undefined) : [];
  const next = phase.order === "parallel" ? unsent : running.length > 0 ? [] : unsent.slice(0, 1);
  const { attempt } = stage;
  if (next.length > 0)
    return (
      nextHold(state, spec, phase) ?? {
        do: "send",
        stage: spec.id,
        phase: phase.id,
        programs: next,
        attempt,
        lock,
      }
    );
  if (running.length > 0) return { do: "await-programs", stage: spec.id, nodes: running };
  return (
    nextGate(spec.id, phase.after, stage, "after") ?? { do: "pass-phase", stage: spec.id, phase: phase.id }
  );
}
