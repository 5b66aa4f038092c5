/**
 * Replicas, zones and the spread of leaseholders: no export carries them. The old cluster is described, the new one compared
 * with it, and what differs is told; it stops nothing, since another shape may be what is wanted.
 */
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { markOf, readMark } from "../../../host/marks.ts";
import { done, failed, failedBy } from "../../../outcome.ts";
import { type StepResult, type Verb, verb } from "../../../verb.ts";
import { nothing } from "../args.ts";
import type { Means } from "../installation.ts";
import { readSpread, storeSpread } from "../questions.ts";
import { askTable, type Desk, withDesk } from "./desk.ts";

const descriptionSchema = z.object({
  zones: z.record(z.string(), z.string()),
  leaseholders: z.array(z.number()),
});
type Description = z.infer<typeof descriptionSchema>;

export function describingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.describe-cluster",
      class: "observe",
      args: nothing,
      run: (context) => withDesk(context, means, send),
    }),
    verb({
      name: "kwdb.compare-cluster",
      class: "observe",
      args: nothing,
      run: (context) => withDesk(context, means, compare),
    }),
  ];
}

async function describe(desk: Desk): Promise<Outcome<Description>> {
  const rows = await askTable(desk, "SHOW ALL ZONE CONFIGURATIONS", {
    columns: ["target", "raw_config_sql"],
  });
  if (!rows.ok) return rows;
  const zones = rows.value.map(
    (row) => [row["target"] ?? "", settingsIn(row["raw_config_sql"] ?? "")] as const,
  );
  const [answer] = await desk.client.ask([storeSpread]);
  if (answer === undefined) return fail("kwdb.metrics-missing", {});
  if (!answer.ok) return answer;
  const spread = readSpread(answer.value);
  if (!spread.ok) return spread;
  return succeed({
    zones: Object.fromEntries(zones),
    leaseholders: spread.value.map(({ leaseholders }) => leaseholders),
  });
}

/** What follows `USING`, in one line. */
function settingsIn(sql: string): string {
  return sql
    .replace(/^.*?\bUSING\b/is, "")
    .trim()
    .replace(/\s+/g, " ");
}

async function send(desk: Desk): Promise<StepResult> {
  const found = await describe(desk);
  if (!found.ok) return failedBy(found.failure);
  const mark = markOf(desk.context, "description", descriptionSchema);
  await mark.write(found.value);
  const sent = await desk.context.parcels.send("description", mark.file);
  return sent.ok ? done({ zones: String(Object.keys(found.value.zones).length) }) : failedBy(sent.failure);
}

async function compare(desk: Desk): Promise<StepResult> {
  const { parcels } = desk.context;
  const found = await parcels.find("description");
  if (!found.ok) return failedBy(found.failure);
  if (found.value === undefined) return failed("kwdb.counts-missing", { when: "description" });
  const path = await parcels.fetch(found.value.digest);
  if (!path.ok) return failedBy(path.failure);
  const old = await readMark(path.value, descriptionSchema);
  if (old === undefined) return failed("kwdb.counts-missing", { when: "description" });
  const here = await describe(desk);
  return here.ok ? done(differences(old, here.value)) : failedBy(here.failure);
}

export function differences(old: Description, here: Description): Readonly<Record<string, string>> {
  const zones = Object.keys({ ...old.zones, ...here.zones })
    .filter((target) => old.zones[target] !== here.zones[target])
    .map(
      (target) => `${target}: was ${old.zones[target] ?? "not set"}, is ${here.zones[target] ?? "not set"}`,
    );
  const told: Record<string, string> = { zones: String(zones.length) };
  if (zones.length > 0) told["told.zones"] = zones.join("; ").slice(0, 3_000);
  const spread = [old, here].map(({ leaseholders }) => leaseholders.join("/"));
  const isUneven = isOneSided(here.leaseholders) && !isOneSided(old.leaseholders);
  const differs = old.leaseholders.length !== here.leaseholders.length || isUneven;
  told["leaseholders"] = `was ${spread[0]}, is ${spread[1]}`;
  if (differs) told["told.leaseholders"] = `per node: ${told["leaseholders"]}`;
  return told;
}

/** A node with none, or with half as many again as the mean: the rule by which the cluster's own check goes. */
function isOneSided(leaseholders: readonly number[]): boolean {
  const mean = leaseholders.reduce((sum, count) => sum + count, 0) / Math.max(1, leaseholders.length);
  return leaseholders.some((count) => count === 0 || count > 1.5 * mean);
}
