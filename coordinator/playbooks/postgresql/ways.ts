/** The ways into another server, for a person to choose: through the server's own replication, or an extension that both have. */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { PlaybookInput } from "../../domain/playbook.ts";
import type { OpenWay } from "../../domain/way.ts";
import { notMadeOn } from "./facts.ts";
import { moveMethod, pglogicalMethod } from "./movers.ts";
import { otherCluster, sourceSide, targetSide } from "./sides.ts";

/** None where a side is not known: nobody can say that a way leads from a server, or into one, that has told nothing. */
export function moveWays(input: PlaybookInput): readonly OpenWay[] {
  const young = otherCluster(input);
  // into a server that has to be made first
  if (young?.cluster.nodes.some(({ name }) => notMadeOn(young.reports[name]) !== undefined)) return [];
  const [source, target] = [sourceSide(input), targetSide(input)];
  if (source === undefined || (young !== undefined && target === undefined)) return [];
  const isThere = [source, target].every((side) => known(side?.facts.available)?.["pglogical"] !== undefined);
  return [way(moveMethod, true), ...(isThere ? [way(pglogicalMethod, false)] : [])];
}

function way(method: string, isDefault: boolean): OpenWay {
  return {
    strategy: "move",
    method,
    isDefault,
    downtime: failure("downtime.postgresql.seconds"),
    lost: failure("lost.postgresql.nothing"),
    wayBack: failure("way-back.postgresql.after"),
  };
}
