/**
 * The journal, folded: what this agent knows of its programs, tools and watches. Changed by `remember` alone,
 * which is given every record once and in order, so that a restart and a running agent know the same.
 */
import type { Facts, Failure } from "#proto/common/failure.ts";
import {
  type Program,
  type ProgramOutcome,
  StepClass,
  type StepPhase,
  type Watch,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import type { BegunBefore } from "../verb.ts";
import type { GroupMark, Moment, ProgramKey, Recorded, ToolRef, ToolResult } from "./entry.ts";

export interface StepMemory {
  /** The first start of this step in this attempt. */
  startedAt?: Moment;
  /** Its end; absent while it runs or has never run. */
  ended?:
    | typeof StepPhase.DONE
    | typeof StepPhase.FOUND_DONE
    | typeof StepPhase.FAILED
    | typeof StepPhase.UNKNOWN;
  outputs: Facts;
  undo?: "started" | "undone" | "failed";
  undoFailures: number;
  /** The answer to MakeHoldPermanent, when there was one. */
  permanent?: boolean;
}

export interface ProgramMemory {
  readonly program: Program;
  readonly acceptedAt: string;
  enterAsked: boolean;
  entered: boolean;
  readonly steps: Map<string, StepMemory>;
  stopAsked?: { readonly undo: boolean; readonly ask: number };
  ended?: { readonly outcome: ProgramOutcome; readonly step: string; readonly failure?: Failure };
  /** After its end it was asked to undo what it has done, and has not come to the end of that. */
  undoing: boolean;
  freed: boolean;
}

export interface ToolMemory {
  readonly name: string;
  readonly ref: ToolRef;
  readonly runner: "unit" | "group";
  readonly argvDigest: string;
  readonly bootId: string;
  mark?: GroupMark;
  ended?: { readonly exitCode?: number; readonly result: ToolResult };
}

export interface WatchMemory {
  readonly watch: Watch;
  warned: boolean;
  reacting?: number;
  /** It has reacted, well or badly: it never does again. */
  reacted: boolean;
}

interface SeenEpoch {
  readonly cluster: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly rollout: string;
}

/** What the coordinator is told, in the order of the journal. */
export type AgentEvent = Extract<
  Recorded,
  { kind: "step" | "ended" | "hold-answered" | "watch-armed" | "watch-disarmed" | "watch-fired" }
>;

export interface Memory {
  stateId: string;
  auditHead: string;
  readonly highest: Map<string, SeenEpoch>;
  readonly programs: Map<string, ProgramMemory>;
  readonly tools: Map<string, ToolMemory>;
  readonly watches: Map<string, WatchMemory>;
  /** Of rollouts that are not closed. */
  readonly events: AgentEvent[];
}

export function emptyMemory(): Memory {
  return {
    stateId: "",
    auditHead: "",
    highest: new Map(),
    programs: new Map(),
    tools: new Map(),
    watches: new Map(),
    events: [],
  };
}

export function watchKey(of: { readonly rollout: string; readonly id: string }): string {
  return `${of.rollout}/${of.id}`;
}

/** The one program that is neither freed nor closed, if there is one; before it an earlier phase that is being undone. */
export function unfinishedProgram(memory: Memory): ProgramMemory | undefined {
  const programs = [...memory.programs.values()];
  return programs.findLast(({ undoing }) => undoing) ?? programs.findLast(({ freed }) => !freed);
}

/** Its steps run, or their undos: until it is over it cannot be followed, freed or answered for. */
export function isAtWork({ ended, undoing }: Pick<ProgramMemory, "ended" | "undoing">): boolean {
  return ended === undefined || undoing;
}

export function stepMemory(of: ProgramMemory, step: string): StepMemory {
  const known = of.steps.get(step) ?? { outputs: {}, undoFailures: 0 };
  of.steps.set(step, known);
  return known;
}

/** True where any attempt of this stage has started the step, so that undoing it undoes our own deed. */
export function startedByUs(memory: Memory, key: ProgramKey, step: string): boolean {
  return [...memory.programs.values()].some(
    (of) =>
      of.program.rollout === key.rollout &&
      of.program.stage === key.stage &&
      of.steps.get(step)?.startedAt !== undefined,
  );
}

/**
 * What earlier tries of this stage have begun here, in their order, whichever of its phases it was in; what was undone
 * since does not count.
 */
export function begunBefore({ programs }: Memory, key: ProgramKey): BegunBefore {
  const begun = new Map<string, StepClass>();
  for (const { program, steps } of programs.values()) {
    if (program.rollout !== key.rollout || stageOf(program) !== stageOf(key)) continue;
    if (program.attempt >= key.attempt) continue;
    for (const { id, class: stepClass } of program.steps) {
      const step = steps.get(id);
      const name = `${program.stage}/${id}`;
      if (step?.startedAt !== undefined && changesThings(stepClass)) begun.set(name, stepClass);
      if (step?.undo === "undone") begun.delete(name);
    }
  }
  const classes = [...begun.values()];
  if (classes.includes(StepClass.IRREVERSIBLE)) return "irreversible";
  return classes.length > 0 ? "reversible" : "nothing";
}

/** Without its phase. */
function stageOf({ stage }: { readonly stage: string }): string {
  return stage.split("/", 1)[0] ?? stage;
}

/** Steps of this class may change the node: they need the lock, a probe and the epoch check. */
export function changesThings(stepClass: StepClass): boolean {
  return stepClass !== StepClass.OBSERVE;
}

/** The newest try of that stage or phase. */
export function latestProgram(
  programs: readonly ProgramMemory[],
  rollout: string,
  stage: string,
): ProgramMemory | undefined {
  return programs.filter(({ program }) => program.rollout === rollout && program.stage === stage).at(-1);
}
