/** The small changes that every event is made of. */
import {
  type Kept,
  type ProgramState,
  programKey,
  type RolloutState,
  type StageState,
  stageOfWire,
} from "./state.ts";

/** What was done to the nodes is not forgotten with the attempt that did it. */
export function freshStage(
  id: string,
  attempt: number,
  { begun, lost, reopened, reopenedFor, told }: Kept = { begun: [], lost: [], reopened: 0, told: [] },
): StageState {
  return {
    begun,
    lost,
    reopened,
    ...(reopenedFor === undefined ? {} : { reopenedFor }),
    told,
    id,
    standing: "pending",
    attempt,
    gatesPassed: [],
    phasesPassed: [],
    programs: {},
    approved: false,
    snapshots: [],
    checked: false,
    withdrawals: 0,
    armed: [],
    fired: [],
    waitOver: false,
  };
}

export function inStage(
  state: RolloutState,
  id: string,
  alter: (stage: StageState) => StageState,
): RolloutState {
  return { ...state, stages: state.stages.map((stage) => (stage.id === id ? alter(stage) : stage)) };
}

export function inProgram(
  state: RolloutState,
  wireStage: string,
  of: { readonly node: string; readonly attempt: number },
  alter: (program: ProgramState) => ProgramState,
): RolloutState {
  return inStage(state, stageOfWire(wireStage), (stage) => {
    const key = programKey(wireStage, of.node);
    const program = stage.programs[key];
    if (program === undefined || program.attempt !== of.attempt) return stage;
    return { ...stage, programs: { ...stage.programs, [key]: alter(program) } };
  });
}

export function withoutWaiting({ waiting: _waiting, ...state }: RolloutState): RolloutState {
  return state;
}

export function withoutLock(state: RolloutState, nonce: string): RolloutState {
  if (state.lock?.nonce !== nonce) return state;
  const { lock: _lock, ...rest } = state;
  return rest;
}
