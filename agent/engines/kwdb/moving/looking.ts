/** Before anything begins: what is to be moved and whether there is room; whether the new cluster is empty. */
import { z } from "zod";
import { type Outcome, succeed } from "#proto/common/failure.ts";
import { done, failed, failedBy } from "../../../outcome.ts";
import { type StepResult, type Verb, verb } from "../../../verb.ts";
import { databases } from "../../databases.ts";
import { version } from "../args.ts";
import type { Means } from "../installation.ts";
import { defaultDatabases } from "../questions.ts";
import { askTable, type Desk, listDatabases, withDesk } from "./desk.ts";
import { whyNoRoomFor } from "./export-room.ts";
import { importMark } from "./importing.ts";

export function moveLookingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.measure-data",
      class: "observe",
      args: z.strictObject({ databases }),
      run: (context, args) => withDesk(context, means, (desk) => measure(desk, args.databases)),
    }),
    verb({
      name: "kwdb.prove-empty",
      class: "observe",
      args: z.strictObject({ databases, version }),
      run: (context, args) => withDesk(context, means, (desk) => proveEmpty(desk, args.databases)),
    }),
  ];
}

export const tableCounts =
  "SELECT database_name, count(*) AS tables FROM kwdb_internal.tables WHERE state = 'PUBLIC' GROUP BY database_name";

async function tablesIn(desk: Desk): Promise<Outcome<Readonly<Record<string, number>>>> {
  const rows = await askTable(desk, tableCounts, { columns: ["database_name", "tables"] });
  if (!rows.ok) return rows;
  return succeed(
    Object.fromEntries(rows.value.map((row) => [row["database_name"] ?? "", Number(row["tables"])])),
  );
}

/** Tables in the databases that every cluster has cannot be imported as a database: that exists already. */
async function inDefaults(desk: Desk): Promise<Outcome<readonly string[]>> {
  const tables = await tablesIn(desk);
  if (!tables.ok) return tables;
  const open = defaultDatabases.filter((name) => name !== "system");
  return succeed(open.filter((name) => (tables.value[name] ?? 0) > 0));
}

async function measure(desk: Desk, wanted: readonly string[]): Promise<StepResult> {
  const here = await listDatabases(desk);
  if (!here.ok) return failedBy(here.failure);
  const differ = [
    ...wanted.filter((name) => !here.value.includes(name)),
    ...here.value.filter((name) => !wanted.includes(name)),
  ];
  if (differ.length > 0) return failed("kwdb.databases-differ", { databases: differ.join(", ") });
  const defaults = await inDefaults(desk);
  if (!defaults.ok) return failedBy(defaults.failure);
  if (defaults.value.length > 0)
    return failed("kwdb.default-database-used", { databases: defaults.value.join(", ") });
  const why = await whyNoRoomFor(desk);
  return why === undefined ? done({ databases: wanted.join(", ") }) : failedBy(why);
}

/** Empty, or with databases that this very rollout has begun. */
async function proveEmpty(desk: Desk, wanted: readonly string[]): Promise<StepResult> {
  const here = await listDatabases(desk);
  if (!here.ok) return failedBy(here.failure);
  const strange: string[] = [];
  for (const name of here.value) {
    const isOurs = wanted.includes(name) && (await importMark(desk.context, name).read()) !== undefined;
    if (!isOurs) strange.push(name);
  }
  const defaults = await inDefaults(desk);
  if (!defaults.ok) return failedBy(defaults.failure);
  strange.push(...defaults.value);
  return strange.length === 0 ? done() : failed("kwdb.target-not-empty", { databases: strange.join(", ") });
}
