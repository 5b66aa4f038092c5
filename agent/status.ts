/** What an agent knows, read from its journal by another process, with no coordinator and no NATS. */
import { readFile } from "node:fs/promises";
import { render } from "#proto/catalogue/render.ts";
import { troubleOf } from "#proto/catalogue/trouble.ts";
import { type Failure, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { ProgramOutcome, StepPhase } from "#proto/gen/lockkeeper/v1/program_pb.ts";
import { journalPath } from "./compose.ts";
import type { AgentConfig } from "./config.ts";
import { readLines } from "./program/journal-line.ts";
import { emptyMemory, type Memory, type ProgramMemory, unfinishedProgram } from "./program/memory.ts";
import { remember } from "./program/remember.ts";

export interface Status {
  readonly node: string;
  readonly engine: string;
  readonly coordinators: readonly string[];
  readonly stateId: string;
  readonly highest: readonly { readonly cluster: string; readonly epoch: number; readonly rollout: string }[];
  readonly program?: ProgramStatus;
  readonly openTools: readonly string[];
  readonly holds: readonly { readonly step: string; readonly since: string }[];
  readonly watches: readonly { readonly id: string; readonly rollout: string; readonly warned: boolean }[];
}

interface ProgramStatus {
  readonly rollout: string;
  readonly stage: string;
  readonly attempt: number;
  readonly cluster: string;
  readonly epoch: number;
  readonly standing:
    | "waiting to enter"
    | "in flight"
    | "is being undone"
    | "ended, not yet proven by the coordinator";
  readonly acceptedAt: string;
  readonly outcome?: string;
  readonly failure?: Failure;
  readonly step: string;
  readonly stepSince: string;
  readonly stepsDone: number;
  readonly steps: number;
}

/**
 * Refused: `agent.never-run`, `agent.journal-unreadable` (not root, as a rule), `journal.damaged`,
 * `journal.format-unknown`.
 */
export async function readStatus(config: AgentConfig, file: string): Promise<Outcome<Status>> {
  const path = journalPath(config.stateDir);
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
  if (content instanceof Error)
    return content.code === "ENOENT"
      ? fail("agent.never-run", { node: config.node, path, file })
      : fail("agent.journal-unreadable", { path, cause: troubleOf(content) });
  const reading = readLines(content);
  if (!reading.ok) return fail(reading.failure.code, { ...reading.failure.facts, path });
  const memory = emptyMemory();
  for (const record of reading.value.records) remember(memory, record);
  return succeed(statusOf(config, memory));
}

function statusOf(config: AgentConfig, memory: Memory): Status {
  const unfinished = unfinishedProgram(memory);
  const holds = [...memory.programs.values()].flatMap(({ program, steps }) =>
    program.steps.flatMap(({ id, holdLimitMs }) => {
      const step = steps.get(id);
      if (
        holdLimitMs === 0 ||
        step?.startedAt === undefined ||
        step.permanent === true ||
        step.undo === "undone"
      )
        return [];
      return [{ step: `${program.stage}/${id}`, since: new Date(step.startedAt.wallMs).toISOString() }];
    }),
  );
  return {
    node: config.node,
    engine: config.engine.kind,
    coordinators: config.coordinators,
    stateId: memory.stateId,
    highest: [...memory.highest.values()].map(({ cluster, epoch, rollout }) => ({ cluster, epoch, rollout })),
    ...(unfinished === undefined ? {} : { program: programStatus(unfinished) }),
    openTools: [...memory.tools.values()].filter(({ ended }) => ended === undefined).map(({ name }) => name),
    holds,
    watches: [...memory.watches.values()].map(({ watch, warned }) => ({
      id: watch.id,
      rollout: watch.rollout,
      warned,
    })),
  };
}

function programStatus(of: ProgramMemory): ProgramStatus {
  const { rollout, stage, attempt, cluster, epoch, steps } = of.program;
  const done = steps.filter(({ id }) => isDone(of.steps.get(id)?.ended));
  const present = of.ended?.step || steps.find(({ id }) => !isDone(of.steps.get(id)?.ended))?.id || "";
  const startedAt = of.steps.get(present)?.startedAt;
  return {
    rollout,
    stage,
    attempt,
    cluster,
    epoch,
    standing: of.undoing
      ? "is being undone"
      : of.ended !== undefined
        ? "ended, not yet proven by the coordinator"
        : of.entered
          ? "in flight"
          : "waiting to enter",
    acceptedAt: of.acceptedAt,
    ...(of.ended === undefined ? {} : { outcome: outcomeWords[of.ended.outcome] }),
    ...(of.ended?.failure === undefined ? {} : { failure: of.ended.failure }),
    step: present,
    stepSince: startedAt === undefined ? "" : new Date(startedAt.wallMs).toISOString(),
    stepsDone: done.length,
    steps: steps.length,
  };
}

const outcomeWords: Readonly<Record<ProgramOutcome, string>> = {
  [ProgramOutcome.UNSPECIFIED]: "unknown",
  [ProgramOutcome.DONE]: "done",
  [ProgramOutcome.FAILED]: "failed",
  [ProgramOutcome.UNKNOWN]: "unknown",
  [ProgramOutcome.STOPPED]: "stopped",
  [ProgramOutcome.NEVER_BEGUN]: "never begun",
};

function isDone(phase: StepPhase | undefined): boolean {
  return phase === StepPhase.DONE || phase === StepPhase.FOUND_DONE;
}

export function statusText(status: Status): string {
  const { program } = status;
  const rows: (readonly [string, string])[] = [
    ["node", `${status.node} (${status.engine})`],
    ["coordinators", status.coordinators.join(", ")],
    ["state id", status.stateId],
    ...status.highest.map(
      ({ cluster, epoch, rollout }) =>
        ["epoch", `${epoch} of cluster ${cluster}, rollout ${rollout}`] as const,
    ),
    [
      "program",
      program === undefined
        ? "none"
        : `${program.rollout} ${program.stage}, try ${program.attempt}: ${program.standing}`,
    ],
    ...(program === undefined ? [] : programRows(program)),
    ...status.openTools.map((name) => ["running", name] as const),
    ...status.holds.map(({ step, since }) => ["hold", `${step} since ${since}`] as const),
    ...status.watches.map(
      ({ id, rollout, warned }) => ["watch", `${id} of ${rollout}${warned ? ", has warned" : ""}`] as const,
    ),
  ];
  return rows.map(([name, value]) => `${name.padEnd(14)}${value}\n`).join("");
}

function programRows(program: ProgramStatus): (readonly [string, string])[] {
  const { step, stepSince, stepsDone, steps, outcome, failure } = program;
  const since = stepSince === "" ? "" : `, since ${stepSince}`;
  return [
    [
      "steps",
      `${stepsDone} of ${steps} done${step === "" ? "" : `, ${outcome === undefined ? "at" : "ended at"} ${step}${since}`}`,
    ],
    ...(outcome === undefined ? [] : [["outcome", outcome] as const]),
    ...(failure === undefined ? [] : [["because", render(failure).says] as const]),
  ];
}

/** Waiting for what, since when, who can change it, the command. */
export function whyText({ node, program, coordinators }: Status): string {
  if (program === undefined) return `Node ${node} has no program: nothing is under way here.\n`;
  const { rollout, stage, standing, acceptedAt, step, stepSince, outcome, failure } = program;
  const named = `${stage} of rollout ${rollout}`;
  if (standing === "in flight") {
    return `Node ${node} is at step ${step} of ${named}${stepSince === "" ? "" : `, since ${stepSince}`}. It runs to its end without a coordinator.\n  lockkeeper logs ${rollout} -n ${node} -f\n`;
  }
  if (standing === "waiting to enter") {
    return `Node ${node} has ${named}, accepted at ${acceptedAt}, and has changed nothing: it waits for a coordinator (${coordinators.join(", ")}) to let it enter.\n  lockkeeper why ${rollout}\n`;
  }
  const because = failure === undefined ? "" : ` at step ${step}: ${render(failure).says}`;
  return `Node ${node} has ended ${named} (${outcome})${because}. It takes no other program until the coordinator has proven it.\n  lockkeeper why ${rollout}\n`;
}
