/** How far a move is: each database that follows, what it is behind, and the WAL that the other server keeps for it. */
import { failure } from "#proto/common/failure.ts";
import { known } from "#proto/common/measured.ts";
import type { NodeReport } from "#proto/common/report.ts";
import type { PgSlot, PostgresqlPulse } from "#proto/engines/postgresql.ts";
import type { FollowedDatabase, FollowingView, KeptLog } from "../../domain/following.ts";
import { pulseOf } from "./facts.ts";
import { followerOf, isOurs } from "./replication.ts";

interface Told {
  readonly node: string;
  readonly pulse: PostgresqlPulse;
}

export function following(reports: readonly NodeReport[]): FollowingView {
  const told = reports.flatMap((report): readonly Told[] => {
    const pulse = pulseOf(report);
    return pulse === undefined || known(pulse.server) === undefined ? [] : [{ node: report.node, pulse }];
  });
  const nodes = told.map(({ node }) => node);
  return {
    databases: told.flatMap((each) => followersOn(each, told)),
    kept: told.flatMap(keptBy),
    unknown: reports.flatMap(({ node }) => (nodes.includes(node) ? [] : [node])),
  };
}

function followersOn({ node, pulse }: Told, all: readonly Told[]): readonly FollowedDatabase[] {
  return (known(pulse.subscriptions) ?? []).filter(isOurs).map((own) => {
    const { standing, facts, why } = followerOf(node, own);
    const { database, copiedBytes } = own;
    const slots = all.flatMap((other) => (other.node === node ? [] : ourSlots(other)));
    const lagBytes = worst(
      slots.filter((slot) => slot.database === database),
      "lagBytes",
    );
    return {
      database,
      node,
      standing,
      readyTables: Number(facts["ready"]),
      tables: Number(facts["tables"]),
      copiedBytes,
      ...(lagBytes === undefined ? {} : { lagBytes }),
      ...(why === undefined ? {} : { why }),
    };
  });
}

function keptBy(told: Told): readonly KeptLog[] {
  const slots = ourSlots(told);
  if (slots.length === 0) return [];
  const { node, pulse } = told;
  const bytes = worst(slots, "retainedBytes");
  const disk = diskOf(pulse);
  const lost = slots.filter(({ walStatus }) => walStatus === "lost");
  return [
    {
      node,
      ...(bytes === undefined ? {} : { bytes }),
      ...(disk === undefined ? {} : { disk }),
      lost: lost.map(({ name }) => failure("postgresql.slot-lost", { node, slot: name })),
    },
  ];
}

function ourSlots({ pulse }: Told): readonly PgSlot[] {
  return (known(pulse.slots) ?? []).filter(isOurs);
}

/** One that does not tell may be the worst of all. */
export function worst(slots: readonly PgSlot[], of: "lagBytes" | "retainedBytes"): number | undefined {
  const told = slots.map((slot) => slot[of]);
  return told.length === 0 || told.includes(null) ? undefined : Math.max(...told.map(Number));
}

function diskOf({ walRoom }: PostgresqlPulse): KeptLog["disk"] {
  const room = known(walRoom);
  if (room === undefined) return undefined;
  const { usedPercent, freeBytes, bytesPerS } = room;
  if (bytesPerS === null) return { usedPercent, freeBytes };
  if (bytesPerS === 0) return { usedPercent, freeBytes, bytesPerS };
  return { usedPercent, freeBytes, bytesPerS, fullInMs: Math.floor(freeBytes / bytesPerS) * 1_000 };
}
