// What the product says of the fleet, read out of its own documents.
import type { Snapshot, SnapshotHead } from "#coordinator/domain/snapshot/snapshot.ts";
import { known } from "#proto/common/measured.ts";
import { type KwdbFull, kwdbFullSchema } from "#proto/engines/kwdb.ts";
import type { LabFleet } from "./fleet.ts";

type Running = Extract<KwdbFull["running"], { readonly value: unknown }>["value"];

/** The process that runs on each node, as the newest snapshot has it; a node whose process is UNKNOWN is not in it. */
export async function runsFrom(fleet: LabFleet): Promise<Readonly<Record<string, Running>>> {
  const [head] = await fleet.json<readonly SnapshotHead[]>("snapshot", "list", "--limit", "1");
  const snapshot = await fleet.json<Snapshot>("snapshot", "show", head?.id ?? "");
  const nodes = snapshot.clusters.flatMap((cluster) => cluster.nodes);
  return Object.fromEntries(
    nodes.flatMap(({ node, report }) => {
      const running = known(kwdbFullSchema.parse(known(report)?.facts).running);
      return running === undefined ? [] : [[node, running] as const];
    }),
  );
}
