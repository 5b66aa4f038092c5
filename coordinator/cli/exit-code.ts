/**
 * Exit codes of the command line: stable, so that scripts can act on them. The code follows from the
 * failure's code alone; the first matching rule wins.
 */
import type { FailureCode } from "#proto/common/failure.ts";
import { type CheckResult, isNotNow } from "../domain/check.ts";
import type { RolloutPhase, RolloutView } from "../domain/views.ts";

export const exitCodes = {
  done: 0,
  internal: 1,
  usage: 2,
  refused: 3,
  nodeUnreachable: 4,
  stopped: 5,
  held: 6,
  notNow: 7,
  waiting: 8,
  drift: 9,
  differences: 10,
  coordinatorUnreachable: 11,
  detached: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** `area.` matches every code of the area; a whole code matches itself. */
const rules: readonly (readonly [string, ExitCode])[] = [
  ["coordinator.unreachable", exitCodes.coordinatorUnreachable],
  ["coordinator.not-leader", exitCodes.coordinatorUnreachable],
  ["coordinator.", exitCodes.usage],
  ["nats.", exitCodes.internal],
  ["store.", exitCodes.coordinatorUnreachable],
  ["claim.held", exitCodes.held],
  ["claim.binds", exitCodes.held],
  ["lock.", exitCodes.held],
  ["plan.drift", exitCodes.drift],
  ["window.", exitCodes.notNow],
  ["freeze.", exitCodes.notNow],
  ["blocker.", exitCodes.notNow],
  ["node.unreachable", exitCodes.nodeUnreachable],
  ["node.silent", exitCodes.nodeUnreachable],
  ["node.no-report", exitCodes.nodeUnreachable],
  ["rollout.stopped", exitCodes.stopped],
  ["rollout.waits", exitCodes.waiting],
  ["cli.interrupted", exitCodes.detached],
  ["cli.detached", exitCodes.detached],
  ["cli.", exitCodes.usage],
  ["config.", exitCodes.usage],
  ["init.", exitCodes.usage],
  ["state-folder.", exitCodes.usage],
  ["inventory.", exitCodes.usage],
  ["duration.", exitCodes.usage],
  ["word.", exitCodes.usage],
  ["cluster.unknown", exitCodes.usage],
  ["node.unknown", exitCodes.usage],
  ["node.not-in-inventory", exitCodes.usage],
  ["rollout.unknown", exitCodes.usage],
  ["rollout.none", exitCodes.usage],
  ["snapshot.unknown", exitCodes.usage],
  ["artefact.unknown", exitCodes.usage],
  ["internal.", exitCodes.internal],
];

/** What is not named above was refused by a check, gate or plan before anything was touched. */
export function exitCodeOf(code: FailureCode): ExitCode {
  const rule = rules.find(([name]) => (name.endsWith(".") ? code.startsWith(name) : code === name));
  return rule === undefined ? exitCodes.refused : rule[1];
}

/** A rollout that rests: one that waits for a window, a freeze or a blocker waits for no person. */
export function exitCodeOfRest({ phase, waitingFor }: Pick<RolloutView, "phase" | "waitingFor">): ExitCode {
  const waits = phase === "waiting" && waitingFor !== undefined && isNotNow(waitingFor.why);
  return waits ? exitCodes.notNow : exitCodeOfPhase[phase];
}

/** How a rollout's phase ends a command that followed it. */
const exitCodeOfPhase: Readonly<Record<RolloutPhase, ExitCode>> = {
  done: exitCodes.done,
  stopped: exitCodes.stopped,
  aborted: exitCodes.stopped,
  aborting: exitCodes.stopped,
  waiting: exitCodes.waiting,
  paused: exitCodes.waiting,
  running: exitCodes.detached,
};

/** How check results end a command: a node that does not answer is told apart from one that is not well. */
export function exitCodeOfChecks(results: readonly CheckResult[]): ExitCode {
  const bad = results.filter(({ status }) => status === "ko" || status === "unknown");
  const codes = bad.map(({ reason }) => (reason === undefined ? exitCodes.refused : exitCodeOf(reason.code)));
  if (codes.includes(exitCodes.nodeUnreachable)) return exitCodes.nodeUnreachable;
  return bad.length === 0 ? exitCodes.done : exitCodes.refused;
}
