/** A server is made first, where the other cluster has none yet and its agent's own file allows it. */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../../domain/playbook.ts";
import type { OpenWay } from "../../../domain/way.ts";
import { fullOf } from "../facts.ts";
import { otherCluster } from "../sides.ts";
import { makingMethod } from "./making.ts";

export function makingWays(input: PlaybookInput): readonly OpenWay[] {
  const young = otherCluster(input);
  const node = young?.cluster.nodes[0]?.name ?? "";
  const place = known(fullOf(young?.reports[node])?.made);
  if (place === undefined || place.taken.length > 0 || String(place.major) !== input.wish.to) return [];
  return [
    {
      strategy: "move",
      method: makingMethod,
      isDefault: false,
      downtime: failure("downtime.postgresql.none"),
      lost: failure("lost.postgresql.nothing"),
      wayBack: failure("way-back.postgresql.made"),
    },
  ];
}
