/** When a node in work is not waited for any longer: no stream for too long, or an agent that has forgotten its program. */
import { type Failure, failure } from "#proto/common/failure.ts";
import type { StopHint } from "../../domain/rollout/hint.ts";
import { stageState } from "../../domain/rollout/state.ts";
import type { RolloutDesk } from "../rollout-desk.ts";

interface GivenUp {
  readonly node: string;
  readonly why: Failure;
  readonly hint: StopHint;
}

type Silence = "absent" | "forgetful";

/** True when the rollout was stopped because one of these nodes is not waited for any longer. */
export async function stopsForSilence(
  desk: RolloutDesk,
  stage: string,
  nodes: readonly string[],
): Promise<boolean> {
  const silence = await whyGivenUp(desk, stage, nodes);
  if (silence !== undefined) await desk.stop(stage, silence.why, silence.hint, silence.node);
  return silence !== undefined;
}

/** Asked again and again; the desk remembers since when each node is silent. */
async function whyGivenUp(
  desk: RolloutDesk,
  stage: string,
  nodes: readonly string[],
): Promise<GivenUp | undefined> {
  const { clock, timing } = desk.means;
  // an agent that is back tells first what it has not told yet
  const limitMs = { absent: timing.silenceLimitMs, forgetful: 2 * timing.answerLimitMs };
  // whoever is no longer in work is not waited for
  for (const node of [...desk.silentSinceMs.keys()])
    if (!nodes.includes(node)) desk.silentSinceMs.delete(node);
  for (const node of nodes) {
    const silence = silenceOf(desk, stage, node);
    if (silence === undefined) {
      desk.silentSinceMs.delete(node);
      continue;
    }
    const key = `${silence} ${node}`;
    const sinceMs = desk.silentSinceMs.get(node)?.key === key ? desk.silentSinceMs.get(node)?.ms : undefined;
    if (sinceMs === undefined) desk.silentSinceMs.set(node, { key, ms: clock.monotonicMs() });
    else if (clock.monotonicMs() - sinceMs >= limitMs[silence]) return givenUp(desk, stage, node, silence);
  }
  return undefined;
}

function silenceOf(desk: RolloutDesk, stage: string, node: string): Silence | undefined {
  const { fleet, reports } = desk.means;
  if (fleet.presence(node) === undefined) return "absent";
  const { lock } = desk.state;
  const entered = Object.values(stageState(desk.state, stage).programs).some(
    (program) => program.node === node && program.standing === "entered",
  );
  return entered && lock !== undefined && reports.unfinished(node)?.nonce !== lock.nonce
    ? "forgetful"
    : undefined;
}

async function givenUp(desk: RolloutDesk, stage: string, node: string, silence: Silence): Promise<GivenUp> {
  if (silence === "absent") return { node, why: failure("node.silent", { node }), hint: "hint.node-silent" };
  const cluster = Object.keys(desk.state.lock?.epochs ?? {}).find((each) =>
    desk.means.members(each).includes(node),
  );
  const unproven = cluster === undefined ? undefined : await desk.means.deeds.whyUnproven(cluster, node);
  return { node, why: unproven ?? failure("program.lost", { node, stage }), hint: "hint.program-lost" };
}
