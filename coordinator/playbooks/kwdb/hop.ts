/** The hop that a cluster is to make, and the settings that it needs before it: an operator's to change, each costs something. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, runningVersion } from "./facts.ts";
import { compareVersions, mayHop, type SettingWanted, type Verdict } from "./version-policy.ts";

type Made = Pick<PlaybookInput, "cluster" | "wish" | "reports">;

/**
 * The version to come from: the oldest that runs, so that a half-done upgrade is planned from its beginning. Undefined
 * while one node's is not known.
 */
export function oldestVersion({ cluster, reports }: Made): string | undefined {
  const versions = cluster.nodes.map(({ name }) => {
    const facts = fullOf(reports[name]);
    return runningVersion(facts) ?? known(facts?.versionFile)?.basic;
  });
  if (versions.some((version) => version === undefined)) return undefined;
  return [...(versions as string[])].sort(compareVersions)[0];
}

export function hopOf(input: Made): Verdict | undefined {
  const from = oldestVersion(input);
  return from === undefined ? undefined : mayHop(from, input.wish.to);
}

/** From the oldest version that runs; none while that is not known. */
export function settingsWanted(input: Made): readonly SettingWanted[] {
  const hop = hopOf(input);
  const { topology } = input.cluster;
  return hop?.may === true ? hop.settings.filter((each) => each.topology === topology) : [];
}

/** How long the first gate must be green: what was set only now has its effect only then. */
export function settleMs(input: PlaybookInput): number {
  return Math.max(0, ...settingsWanted(input).map((each) => each.settleMs));
}
