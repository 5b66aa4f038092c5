/** The way in place, for a person to choose: open where the agent's own file allows it. */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import type { OpenWay } from "../../../domain/way.ts";
import { fullOf } from "../facts.ts";
import { settingsOf } from "../settings.ts";
import { inPlaceMethod } from "./upgrade.ts";

export function inPlaceWays({ cluster, reports, wish }: PlaybookInput): readonly OpenWay[] {
  const [node, ...others] = cluster.nodes;
  const place = known(fullOf(reports[node?.name ?? ""])?.inPlace);
  if (place === undefined || others.length > 0 || String(place.newMajor) !== wish.to) return [];
  const settings = settingsOf(cluster);
  const isLink = settings.ok && settings.value.upgradeMode === "link";
  return [
    {
      strategy: "offline",
      method: inPlaceMethod,
      isDefault: false,
      downtime: failure("downtime.postgresql.in-place"),
      lost: failure("lost.postgresql.nothing"),
      wayBack: failure(
        isLink ? "way-back.postgresql.in-place-linked" : "way-back.postgresql.in-place-copied",
      ),
    },
  ];
}
