/** What a check of the cluster as a whole is given, and what its nodes have answered. */
import type { KwdbFull } from "#proto/engines/kwdb.ts";
import type { CheckResult } from "../../domain/check.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames } from "./facts.ts";

export type ClusterCheck = (input: PlaybookInput) => CheckResult | readonly CheckResult[] | undefined;

/** What each node says to a question about the cluster. A node without a report is UNKNOWN in agent-reports. */
export function answersOf<Name extends keyof KwdbFull>(
  { cluster, reports }: PlaybookInput,
  name: Name,
): readonly KwdbFull[Name][] {
  return nodeNames(cluster).flatMap((node) => fullOf(reports[node])?.[name] ?? []);
}
