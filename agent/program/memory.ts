/**
 * The journal, folded: what this agent knows of its programs, tools and watches. Changed by `remember` alone,
 * which is given every record once and in order, so that a restart and a running agent know the same.
 */
import type { Facts, Failure } from "#proto/common/failure.ts";
import {
  type Program,
  type ProgramOutcome,
  StepClass,
  StepPhase,
  type Watch,
} from "#proto/gen/lockkeeper/v1/program_pb.ts";
import {
  type GroupMark,
  keyText,
  type Moment,
  type ProgramKey,
  type Recorded,
  type ToolRef,
  type ToolResult,
} from "./entry.ts";

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
  stopAsked?: { readonly undo: boolean };
  ended?: { readonly outcome: ProgramOutcome; readonly step: string; readonly failure?: Failure };
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

export interface SeenEpoch {
  readonly cluster: string;
  readonly epoch: number;
  readonly nonce: string;
  readonly rollout: string;
}

/** What the coordinator is told, in the order of the journal. */
export type AgentEvent = Extract<Recorded, { kind: "step" | "ended" | "hold-answered" | "watch-fired" }>;

export interface Memory {
  stateId: string;
  auditHead: string;
  readonly highest: Map<string, SeenEpoch>;
  readonly abandoned: Map<
    string,
    { readonly cluster: string; readonly epoch: number; readonly nonce: string }
  >;
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
    abandoned: new Map(),
    programs: new Map(),
    tools: new Map(),
    watches: new Map(),
    events: [],
  };
}

export function watchKey(of: { readonly rollout: string; readonly id: string }): string {
  return `${of.rollout}/${of.id}`;
}

/** The one program that is neither freed nor closed, if there is one. */
export function unfinishedProgram(memory: Memory): ProgramMemory | undefined {
  return [...memory.programs.values()].findLast(({ freed }) => !freed);
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

export function remember(memory: Memory, record: Recorded): void {
  switch (record.kind) {
    case "born":
      memory.stateId = record.stateId;
      return;
    case "awoke":
      return;
    case "epoch-seen":
      rememberEpoch(memory, record);
      return;
    case "enter-abandoned":
      memory.abandoned.set(record.cluster, record);
      return;
    case "accepted":
      memory.programs.set(keyText(record.program), acceptedProgram(memory, record.program, record.at));
      return;
    case "tool-intended":
      memory.tools.set(record.name, record);
      return;
    case "tool-marked":
    case "tool-ended":
      rememberTool(memory.tools.get(record.name), record);
      return;
    case "watch-armed":
    case "watch-disarmed":
    case "watch-reacting":
    case "watch-fired":
      rememberWatch(memory, record);
      return;
    case "closed":
      forgetRollout(memory, record.rollout);
      return;
    case "enter-asked":
    case "entered":
    case "step":
    case "undo-started":
    case "stop-asked":
    case "ended":
    case "freed":
    case "hold-answered":
      rememberOfProgram(memory, record);
  }
}

/** A further try or phase under the same epoch goes on within the lock that the one before has entered. */
function acceptedProgram(memory: Memory, program: Program, acceptedAt: string): ProgramMemory {
  const before = unfinishedProgram(memory);
  const retried =
    before !== undefined && before.program.epoch === program.epoch && before.program.nonce === program.nonce;
  if (retried) before.freed = true;
  return {
    program,
    acceptedAt,
    enterAsked: false,
    entered: retried && before.entered,
    steps: new Map(),
    freed: false,
  };
}

function rememberEpoch(memory: Memory, record: Extract<Recorded, { kind: "epoch-seen" }>): void {
  memory.highest.set(record.cluster, record);
  if (record.auditHead !== "") memory.auditHead = record.auditHead;
  const abandoned = memory.abandoned.get(record.cluster);
  if (abandoned !== undefined && abandoned.epoch < record.epoch) memory.abandoned.delete(record.cluster);
}

function rememberTool(
  tool: ToolMemory | undefined,
  record: Extract<Recorded, { kind: "tool-marked" | "tool-ended" }>,
): void {
  if (tool === undefined) return;
  if (record.kind === "tool-marked") tool.mark = record.mark;
  else
    tool.ended = {
      result: record.result,
      ...(record.exitCode === undefined ? {} : { exitCode: record.exitCode }),
    };
}

type OfWatch = Extract<
  Recorded,
  { kind: "watch-armed" | "watch-disarmed" | "watch-reacting" | "watch-fired" }
>;

function rememberWatch(memory: Memory, record: OfWatch): void {
  if (record.kind === "watch-armed") {
    memory.watches.set(watchKey(record.watch), { watch: record.watch, warned: false, reacted: false });
    return;
  }
  if (record.kind === "watch-fired") memory.events.push(record);
  const known = memory.watches.get(watchKey(record));
  if (known === undefined) return;
  if (record.kind === "watch-disarmed") memory.watches.delete(watchKey(record));
  else if (record.kind === "watch-reacting") known.reacting = record.measured;
  else if (known.reacting !== undefined) known.reacted = true;
  else if (record.failure === undefined) known.warned = true;
}

type OfProgram = Extract<
  Recorded,
  {
    kind:
      | "enter-asked"
      | "entered"
      | "step"
      | "undo-started"
      | "stop-asked"
      | "ended"
      | "freed"
      | "hold-answered";
  }
>;

function rememberOfProgram(memory: Memory, record: OfProgram): void {
  if (record.kind === "step" || record.kind === "ended" || record.kind === "hold-answered")
    memory.events.push(record);
  const of = memory.programs.get(keyText(record));
  if (of === undefined) return;
  switch (record.kind) {
    case "enter-asked":
      of.enterAsked = true;
      return;
    case "entered":
      of.entered = true;
      return;
    case "step":
      rememberStep(stepMemory(of, record.step), record);
      return;
    case "undo-started":
      stepMemory(of, record.step).undo = "started";
      return;
    case "stop-asked":
      of.stopAsked = { undo: record.undo };
      return;
    case "ended":
      of.ended = record;
      // What never entered holds no lock, so there is nothing that a coordinator would have to prove.
      of.freed = of.freed || !of.entered;
      return;
    case "freed":
      of.freed = true;
      return;
    case "hold-answered":
      stepMemory(of, record.step).permanent = record.madePermanent;
  }
}

function rememberStep(step: StepMemory, record: Extract<Recorded, { kind: "step" }>): void {
  switch (record.phase) {
    case StepPhase.UNSPECIFIED:
    case StepPhase.PROGRESS:
      return;
    case StepPhase.STARTED:
      step.startedAt ??= record.moment;
      return;
    case StepPhase.UNDONE:
      step.undo = "undone";
      return;
    case StepPhase.UNDO_FAILED:
      step.undo = "failed";
      step.undoFailures++;
      return;
    case StepPhase.DONE:
    case StepPhase.FOUND_DONE:
    case StepPhase.FAILED:
    case StepPhase.UNKNOWN:
      step.ended = record.phase;
      step.outputs = record.outputs;
  }
}

function forgetRollout(memory: Memory, rollout: string): void {
  for (const [key, { program }] of memory.programs)
    if (program.rollout === rollout) memory.programs.delete(key);
  for (const [name, { ref }] of memory.tools) if (ref.rollout === rollout) memory.tools.delete(name);
  for (const [key, { watch }] of memory.watches) if (watch.rollout === rollout) memory.watches.delete(key);
  const kept = memory.events.filter((event) => event.rollout !== rollout);
  memory.events.splice(0, memory.events.length, ...kept);
}

/** Steps of this class may change the node: they need the lock, a probe and the epoch check. */
export function changesThings(stepClass: StepClass): boolean {
  return stepClass !== StepClass.OBSERVE;
}
