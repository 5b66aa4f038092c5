/** A node whose lock was broken while it was away comes back: what it still runs stops at its next safe boundary. */
import type { AgentReports } from "../agents/agent-reports.ts";
import type { Fleet } from "../ports.ts";
import type { LockDeeds } from "./lock-deeds.ts";

export async function stopIfBroken(
  node: string,
  {
    reports,
    deeds,
    fleet,
  }: { readonly reports: AgentReports; readonly deeds: LockDeeds; readonly fleet: Fleet },
): Promise<void> {
  const program = reports.unfinished(node);
  if (program?.standing !== "in-flight") return;
  const { cluster, rollout, stage, epoch } = program;
  const record = (await deeds.read(cluster))?.value;
  if (record?.broken?.nodes.includes(node) !== true || record.epoch <= epoch) return;
  fleet.send(node, { $case: "stopProgram", value: { rollout, stage, epoch, undo: false, ask: 0 } });
}
