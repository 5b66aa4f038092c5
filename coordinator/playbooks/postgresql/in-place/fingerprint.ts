/** What a plan of an upgrade in place is bound to. All that it changes itself stands under the node's name. */
import { known } from "#proto/common/measured.ts";
import { fieldOf, unmeasured } from "../../../domain/digest.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import { fullOf, serverOf } from "../facts.ts";
import { playbookVersion } from "../fingerprint.ts";
import { inPlaceMethod } from "./upgrade.ts";

export function fingerprintInPlace({
  cluster,
  wish,
  reports,
}: PlaybookInput): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    target: wish.to,
    method: inPlaceMethod,
    playbook: String(playbookVersion),
    cluster: cluster.name,
    nodes: cluster.nodes.map(({ name, address }) => `${name}=${address}`).join(" "),
    gates: `${cluster.gates.everyMs}/${cluster.gates.dwellMs}/${cluster.gates.limitMs}`,
    settings: Object.entries(cluster.settings)
      .sort()
      .map(([name, value]) => `${name}=${value}`)
      .join(" "),
  };
  // on the way back the server may be down, and up again a moment later
  if (wish.back !== undefined) return { ...fields, back: wish.back.rollout };
  for (const { name } of cluster.nodes) {
    const full = fullOf(reports[name]);
    const server = serverOf(reports[name]);
    const place = known(full?.inPlace);
    const databases = known(full?.databases);
    fields[`node.${name}.system-id`] = fieldOf(server?.systemId);
    fields[`node.${name}.version`] = fieldOf(server?.versionNum);
    fields[`node.${name}.databases`] = fieldOf(databases?.map((each) => each.name));
    fields[`node.${name}.place`] =
      place === undefined
        ? unmeasured
        : [
            `${place.version} ${place.data} ${place.unit.name}`,
            `${place.newVersion} ${place.newData} ${place.newUnit.name}`,
          ].join(" -> ");
  }
  return fields;
}
