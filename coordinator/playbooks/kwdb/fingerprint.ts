/** What a plan is bound to. Fields of one node begin with `node.<name>.`: they may change once it was upgraded. */
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { archiveOf } from "./back-way.ts";
import { evidenceOf, isHalfWay } from "./evidence.ts";
import { fullOf, nodeNames, runningVersion } from "./facts.ts";
import { playbookVersion } from "./version.ts";

export function fingerprint({ cluster, wish, reports }: PlaybookInput): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    cluster: cluster.name,
    topology: cluster.topology,
    deployment: cluster.deployment,
    nodes: cluster.nodes.map(({ name, address }) => `${name}=${address}`).join(" "),
    gates: `${cluster.gates.everyMs}/${cluster.gates.dwellMs}/${cluster.gates.limitMs}`,
    settings: canonicalOf(cluster.settings),
    target: wish.to,
    package: wish.artefact?.digest ?? "",
    playbook: String(playbookVersion),
    ...(wish.mend === undefined ? {} : { mend: canonicalOf(wish.mend) }),
    ...(wish.back === undefined ? {} : { back: wish.back.rollout }),
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
    if (wish.back === undefined && wish.mend === undefined) Object.assign(fields, halfWayFields(name, facts));
    if (wish.back !== undefined) Object.assign(fields, keptFields(name, facts, wish.back.rollout));
    if (cluster.deployment !== "container") continue;
    const container = known(facts?.container);
    fields[`node.${name}.form`] = known(facts?.form) ?? "unknown";
    fields[`node.${name}.image`] =
      container === undefined ? "unknown" : `${container.image} ${container.imageId}`;
    fields[`node.${name}.words`] = container?.repeats?.sha256 ?? "none";
  }
  return fields;
}

/** How somebody has left it: what a person has said yes to may not be another when it is begun. */
function halfWayFields(name: string, facts: ReturnType<typeof fullOf>): Readonly<Record<string, string>> {
  const evidence = facts === undefined ? undefined : evidenceOf(facts, "");
  if (evidence === undefined || !isHalfWay(evidence)) return {};
  return { [`node.${name}.half-way`]: `${evidence.state} ${evidence.binary}` };
}

/** What a way back stands on: it may not be another one when it is begun. */
function keptFields(
  name: string,
  facts: ReturnType<typeof fullOf>,
  rollout: string,
): Readonly<Record<string, string>> {
  const saved = known(facts?.saved)?.filter((each) => each.rollout === rollout) ?? [];
  const archive = archiveOf(facts, name, rollout);
  return {
    [`node.${name}.saved`]: saved.map((each) => each.name).join(" ") || "none",
    [`node.${name}.archive`]:
      archive === undefined ? "none" : `${archive.path} ${archive.bytes} ${archive.about.madeAt}`,
  };
}

function canonicalOf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .sort()
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}
