/** The fold of the journal into memory: given every record once and in order. Nothing else changes the memory. */
import { type Program, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { keyText, type Recorded } from "./entry.ts";
import {
  type Memory,
  type ProgramMemory,
  type StepMemory,
  stepMemory,
  type ToolMemory,
  unfinishedProgram,
  watchKey,
} from "./memory.ts";

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
    case "audit-head":
      memory.auditHead = record.head;
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
    undoing: false,
    freed: false,
  };
}

function rememberEpoch(memory: Memory, record: Extract<Recorded, { kind: "epoch-seen" }>): void {
  memory.highest.set(record.cluster, record);
  if (record.auditHead !== "") memory.auditHead = record.auditHead;
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
  if (record.kind !== "watch-reacting") memory.events.push(record);
  if (record.kind === "watch-armed") {
    memory.watches.set(watchKey(record.watch), { watch: record.watch, warned: false, reacted: false });
    return;
  }
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
      of.stopAsked = { undo: record.undo, ask: Math.max(record.ask ?? 0, of.stopAsked?.ask ?? 0) };
      of.undoing ||= record.undo && of.ended !== undefined;
      return;
    case "ended":
      of.ended = record;
      of.undoing = false;
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
