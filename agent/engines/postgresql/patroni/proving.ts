/**
 * That this host is Patroni's leader, and still the one that the rows came from: after a failover nobody can tell whether the new
 * server has rows that the old cluster has lost, or lacks some whose place in the WAL is another one now.
 */
import { z } from "zod";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, must, of, ownerOf, probeOf, resultOf, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import { readPatroni } from "./facts.ts";
import { named } from "./patronictl.ts";

const origin = z.object({ timeline: z.string() });

export function provingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-leader",
      class: "observe",
      args: of,
      run: (context) => resultOf(() => proveLeader(context, means)),
    }),
    verb({
      name: "postgresql.note-timeline",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => note(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () =>
          (await markFor(context, ownerOf(context, args)).read()) === undefined ? ["timeline"] : [],
        ),
    }),
    verb({
      name: "postgresql.prove-timeline",
      class: "observe",
      args: of,
      run: (context, args) => resultOf(() => proveTimeline(context, means, ownerOf(context, args))),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string) {
  return markOf({ host, rollout }, "timeline", origin);
}

async function proveLeader(context: StepContext, means: Means): Promise<StepResult> {
  const { member, members, isStandbyCluster, scope } = must(await readPatroni(context.host, named(means)));
  const leader = members.find(({ role }) => role === "leader")?.name ?? "none";
  const facts = { scope, member, leader };
  if (isStandbyCluster || leader !== member) stop("postgresql.patroni-other-leader", facts);
  return done(facts);
}

/** Hexadecimal, as names of WAL files begin. */
async function timelineNow(context: StepContext, means: Means): Promise<string> {
  const [row] = await ask(context, means, (sql) =>
    sql.rows("SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline"),
  );
  return row?.["timeline"] ?? "";
}

async function note(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const timeline = await timelineNow(context, means);
  await markFor(context, rollout).write({ timeline });
  return done({ timeline });
}

async function proveTimeline(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const known = await markFor(context, rollout).read();
  const timeline = await timelineNow(context, means);
  if (known?.timeline !== timeline)
    stop("postgresql.timeline-changed", { rollout, before: known?.timeline ?? "not noted", now: timeline });
  return done({ timeline });
}
