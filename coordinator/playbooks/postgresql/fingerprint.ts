/**
 * What a plan is bound to. Fields of one node begin with `node.<name>.`: they may change once it was touched, as the old server does
 * that is put away at the end. Which server it is, each program proves once more by its first step.
 */

import { known } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import { fieldOf } from "../../domain/digest.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import { fullOf, serverOf } from "./facts.ts";
import { addsIn } from "./packages/check.ts";
import { databasesOf, primariesOf, targetOf } from "./sides.ts";

export const playbookVersion = 1;

export function fingerprint(input: PlaybookInput): Readonly<Record<string, string>> {
  const young = targetOf(input);
  const fields: Record<string, string> = {
    target: input.wish.to,
    into: young?.cluster.name ?? "",
    playbook: String(playbookVersion),
    ...(input.wish.back === undefined ? {} : { back: input.wish.back.rollout }),
    ...sideFields("", input),
  };
  if (young !== undefined) Object.assign(fields, sideFields("into.", young));
  if (input.wish.back === undefined)
    for (const { name } of young?.cluster.nodes ?? [])
      Object.assign(fields, packagesField(name, young?.reports[name]));
  const first = primariesOf(input)[0] ?? input.cluster.nodes[0];
  if (first !== undefined && input.wish.back === undefined)
    fields[`node.${first.name}.databases`] = fieldOf(databasesOf(input));
  return fields;
}

/** What would be installed, each with its version; no field where the agent's file names nothing. */
export function packagesField(
  node: string,
  report: NodeReport | undefined,
): Readonly<Record<string, string>> {
  const packages = fullOf(report)?.packages;
  if (packages === undefined) return {};
  const exact = addsIn(packages).map(({ name, version }) => `${name}=${version}`);
  return { [`node.${node}.packages`]: fieldOf(known(packages) === undefined ? undefined : exact.sort()) };
}

function sideFields(prefix: string, { cluster, reports }: PlaybookInput): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    [`${prefix}cluster`]: cluster.name,
    [`${prefix}nodes`]: cluster.nodes.map(({ name, address }) => `${name}=${address}`).join(" "),
    [`${prefix}gates`]: `${cluster.gates.everyMs}/${cluster.gates.dwellMs}/${cluster.gates.limitMs}`,
    [`${prefix}settings`]: Object.entries(cluster.settings)
      .sort()
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  };
  for (const { name } of cluster.nodes) {
    const server = serverOf(reports[name]);
    fields[`node.${name}.system-id`] = fieldOf(server?.systemId);
    fields[`node.${name}.version`] = fieldOf(server?.versionNum);
    fields[`node.${name}.standby`] = fieldOf(server?.isStandby);
  }
  return fields;
}
