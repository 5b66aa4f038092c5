/**
 * Everything that must be right before an upgrade: both documented procedures, and the hazards of the
 * vendor's scripts. Each check is a small function; this file is their list.
 */
import type { CheckResult } from "../../domain/check.ts";
import type { NodeEntry } from "../../domain/inventory.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { clusterChecks } from "./cluster-checks.ts";
import { compiledChecks } from "./compiled-checks.ts";
import { containerChecks } from "./container-checks.ts";
import { hostChecks } from "./host-checks.ts";
import { nodeChecks } from "./node-checks.ts";

export function checkCluster(input: PlaybookInput): readonly CheckResult[] {
  return [...checkWhole(input), ...input.cluster.nodes.flatMap((node) => checkNode(input, node))];
}

export function checkWhole(input: PlaybookInput): readonly CheckResult[] {
  return clusterChecks.flatMap((check) => check(input) ?? []);
}

export function checkNode(input: PlaybookInput, node: NodeEntry): readonly CheckResult[] {
  return [...nodeChecks, ...hostChecks, ...containerChecks, ...compiledChecks].flatMap(
    (check) => check(input, node) ?? [],
  );
}
