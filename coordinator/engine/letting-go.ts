/** What a person's word for a broken lock means to the agents. */
import type { RolloutDesk } from "./rollout-desk.ts";

/**
 * Programs that ended under the broken lock are over by the same word: nobody else would ever free them, and their
 * agents take nothing before. One that still runs cannot be answered for. False: the word does not hold yet.
 */
export function letGo(
  { means: { fleet, reports, members } }: Pick<RolloutDesk, "means">,
  cluster: string,
  nodes: readonly string[],
): boolean {
  // one that has not reported cannot be answered for, unless it was taken out of the cluster for good
  if (nodes.some((node) => members(cluster).includes(node) && fleet.presence(node) === undefined))
    return false;
  const held = nodes.flatMap((node) => {
    const program = reports.unfinished(node);
    return program?.cluster === cluster && program.standing !== "waiting" ? [{ node, ...program }] : [];
  });
  if (held.some(({ standing }) => standing !== "ended")) return false;
  return held.every(({ node, rollout, stage, epoch }) => {
    const told = fleet.send(node, { $case: "programFreed", value: { rollout, stage, epoch } });
    if (told) reports.programGone(node);
    return told;
  });
}
