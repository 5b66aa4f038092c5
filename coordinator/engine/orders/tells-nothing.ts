/** Nodes of which nothing is known now: no agent is here, or it does not get into its server. Nothing goes on without them. */
import { failure } from "#proto/common/failure.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { Playbook } from "../../domain/playbook.ts";
import type { WhyView } from "../../domain/views.ts";
import type { Fleet } from "../ports.ts";

/** One answer for each; none for what `told` says already. */
export function whoTellsNothing(
  nodes: readonly NodeEntry[],
  fleet: Pick<Fleet, "presence" | "lastReport">,
  playbook: Pick<Playbook, "summarise"> | undefined,
  told: WhyView["answers"],
): WhyView["answers"] {
  const who = "who.host-owner";
  return nodes.flatMap(({ name: node }): WhyView["answers"] => {
    if (told.some((answer) => isOf(answer, node))) return [];
    if (fleet.presence(node) === undefined)
      return [{ waitingFor: failure("node.unreachable", { node }), who, command: agentOf(node) }];
    // what a rollout waits for it says itself, and it may be what has stopped the database
    if (told.length > 0) return [];
    const report = fleet.lastReport(node)?.report;
    const summary = report === undefined ? undefined : playbook?.summarise(report);
    if (summary?.state !== "unknown") return [];
    return summary.findings.map((finding) => ({
      waitingFor: failure("node.tells-nothing", { node }),
      who,
      because: { ...finding, facts: { ...finding.facts, node } },
    }));
  });
}

function agentOf(node: string): string {
  return `systemctl status lockkeeper-agent   (on ${node})`;
}

/** It was told to whom it falls: a stop that names the node says more than that its agent is away. */
function isOf({ waitingFor: { facts }, who }: WhyView["answers"][number], node: string): boolean {
  const named = [facts["node"] ?? "", ...(facts["nodes"] ?? "").split(", ")];
  return who === "who.host-owner" && named.includes(node);
}
