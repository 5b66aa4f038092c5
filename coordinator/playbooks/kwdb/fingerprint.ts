/** What a plan is bound to. Fields of one node begin with `node.<name>.`: they may change once it was upgraded. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, nodeNames, runningVersion } from "./facts.ts";
import { playbookVersion } from "./version.ts";

export function fingerprint({ cluster, wish, reports }: PlaybookInput): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    cluster: cluster.name,
    topology: cluster.topology,
    deployment: cluster.deployment,
    nodes: cluster.nodes.map(({ name, address }) => `${name}=${address}`).join(" "),
    gates: `${cluster.gates.everyMs}/${cluster.gates.dwellMs}/${cluster.gates.limitMs}`,
    settings: Object.entries(cluster.settings)
      .sort()
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
    target: wish.to,
    package: wish.artefact?.digest ?? "",
    playbook: String(playbookVersion),
  };
  for (const name of nodeNames(cluster)) {
    const facts = fullOf(reports[name]);
    const file = known(facts?.versionFile);
    fields[`node.${name}.version-file`] =
      file === undefined ? "unknown" : `${file.basic}${file.extended === null ? "" : `-${file.extended}`}`;
    fields[`node.${name}.running`] = runningVersion(facts) ?? "unknown";
    fields[`node.${name}.unit`] = known(facts?.unitSha256) ?? "unknown";
    fields[`node.${name}.mode`] = known(facts?.mode)?.topology ?? "unknown";
    fields[`node.${name}.configuration`] =
      Object.entries(known(facts?.configurationSha256) ?? {})
        .sort()
        .map(([file, sha]) => `${file}:${sha.slice(0, 12)}`)
        .join(" ") || "unknown";
    if (cluster.deployment !== "container") continue;
    const container = known(facts?.container);
    fields[`node.${name}.form`] = known(facts?.form) ?? "unknown";
    fields[`node.${name}.image`] =
      container === undefined ? "unknown" : `${container.image} ${container.imageId}`;
    fields[`node.${name}.words`] = container?.repeats?.sha256 ?? "none";
  }
  return fields;
}
