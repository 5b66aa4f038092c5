/**
 * What a plan is bound to. Fields of one node begin with `node.<name>.`: they may change once it was touched, as the old server does
 * that is put away at the end. Which server it is, each program proves once more by its first step.
 */

import { known } from "#proto/common/measured.ts";
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
  for (const { name } of input.wish.back === undefined ? (young?.cluster.nodes ?? []) : []) {
    const { packages } = fullOf(young?.reports[name]) ?? {};
    if (packages !== undefined)
      fields[`node.${name}.packages`] = fieldOf(
        known(packages) === undefined ? undefined : exactly(packages),
      );
  }
  const first = primariesOf(input)[0] ?? input.cluster.nodes[0];
  if (first !== undefined && input.wish.back === undefined)
    fields[`node.${first.name}.databases`] = fieldOf(databasesOf(input));
  return fields;
}

function exactly(packages: Parameters<typeof addsIn>[0]): readonly string[] {
  return addsIn(packages)
    .map(({ name, version }) => `${name}=${version}`)
    .sort();
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
