/**
 * What a person's word means to the agents: programs that have ended are over by it, where nobody else would ever
 * free them and their agents take nothing before. One that still runs cannot be answered for.
 */
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { CheckResult } from "../../domain/check.ts";
import {
  checkOf,
  type ForgottenMeans,
  forgottenPrograms,
  type HeldProgram,
  unfinishedCheck,
} from "../agents/forgotten.ts";
import type { DriverMeans, RolloutDesk } from "../rollout-desk.ts";

type TellMeans = Pick<DriverMeans, "fleet" | "reports">;

/** Those that ended under the broken lock. False: the word does not hold yet. */
export function letGo(
  { means }: Pick<RolloutDesk, "means">,
  cluster: string,
  nodes: readonly string[],
): boolean {
  const { fleet, reports, members } = means;
  // one that has not reported cannot be answered for, unless it was taken out of the cluster for good
  if (nodes.some((node) => members(cluster).includes(node) && fleet.presence(node) === undefined))
    return false;
  const held = nodes.flatMap((node) => {
    const program = reports.unfinished(node);
    return program?.cluster === cluster && program.standing !== "waiting" ? [{ node, ...program }] : [];
  });
  if (held.some(({ standing }) => standing !== "ended")) return false;
  return held.every((program) => tellFreed(means, program));
}

/**
 * Those of rollouts that the store has forgotten, as the checks have shown them to the person who gave the word: all
 * of them, or what has changed since is the refusal (`node.unfinished`, `node.unreachable`).
 */
export async function letGoForgotten(
  means: ForgottenMeans & TellMeans,
  checks: readonly CheckResult[],
): Promise<Outcome<void>> {
  const shown = checks.filter(({ id }) => id === unfinishedCheck);
  const nodes = shown.flatMap(({ node }) => node ?? []);
  const held = await forgottenPrograms(means, nodes);
  const gone = nodes.find((node) => means.fleet.presence(node) === undefined);
  if (gone !== undefined) return fail("node.unreachable", { node: gone });
  for (const program of held) {
    const now = JSON.stringify(checkOf(program));
    const isShown = program.standing === "ended" && shown.some((check) => JSON.stringify(check) === now);
    if (!isShown) return fail("node.unfinished", { ...checkOf(program).facts, standing: program.standing });
  }
  for (const program of held) {
    const { node, rollout } = program;
    if (!tellFreed(means, program)) return fail("node.unreachable", { node });
    // what its journal keeps, and its watches, are of no use to anybody either
    means.fleet.send(node, { $case: "rolloutClosed", value: { rollout } });
  }
  return succeed(undefined);
}

function tellFreed({ fleet, reports }: TellMeans, { node, rollout, stage, epoch }: HeldProgram): boolean {
  const told = fleet.send(node, { $case: "programFreed", value: { rollout, stage, epoch } });
  if (told) reports.programGone(node);
  return told;
}
