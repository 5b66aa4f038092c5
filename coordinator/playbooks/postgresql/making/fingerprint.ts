/** What a plan that makes a server is bound to. All that it changes itself stands under the new node's name. */
import { known } from "#proto/common/measured.ts";
import { fieldOf, unmeasured } from "../../../domain/digest.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf, serverOf } from "../facts.ts";
import { packagesField, playbookVersion } from "../fingerprint.ts";
import { targetOf } from "../sides.ts";
import { makingMethod } from "./making.ts";

export function fingerprintMaking(input: PlaybookInput): Readonly<Record<string, string>> {
  const { cluster, wish } = input;
  const young = targetOf(input);
  const fields: Record<string, string> = {
    target: wish.to,
    method: makingMethod,
    playbook: String(playbookVersion),
    cluster: cluster.name,
    into: young?.cluster.name ?? "",
    nodes: nodesOf(input),
    "into.nodes": young === undefined ? "" : nodesOf(young),
  };
  // the server that goes may be down, and up again a moment later
  if (wish.back !== undefined) return { ...fields, back: wish.back.rollout };
  for (const { name } of cluster.nodes) {
    const full = fullOf(input.reports[name]);
    const server = serverOf(input.reports[name]);
    fields[`node.${name}.system-id`] = fieldOf(server?.systemId);
    fields[`node.${name}.version`] = fieldOf(server?.versionNum);
    fields[`node.${name}.standby`] = fieldOf(server?.isStandby);
    fields[`node.${name}.birth`] = fieldOf(known(full?.birth));
    fields[`node.${name}.tablespaces`] = fieldOf(known(full?.tablespaces));
  }
  for (const { name } of young?.cluster.nodes ?? []) {
    const place = known(fullOf(young?.reports[name])?.made);
    fields[`node.${name}.made`] =
      place === undefined
        ? unmeasured
        : `${place.version} ${place.data} ${place.config} ${place.unit.name} ${place.port}`;
    Object.assign(fields, packagesField(name, young?.reports[name]));
    fields[`node.${name}.taken`] = place === undefined ? unmeasured : place.taken.join(" ");
  }
  return fields;
}

function nodesOf({ cluster }: PlaybookInput): string {
  return cluster.nodes.map(({ name, address }) => `${name}=${address}`).join(" ");
}
