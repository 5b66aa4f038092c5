/** What one server offers: its replication set, with every table that native replication would publish, and slots. */
import type { z } from "zod";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { ask, ofDirection, ownerOf, patiently, probeOf, resultOf } from "../desk.ts";
import { publicationName, subscriptionName } from "../names.ts";
import { publishedTables, tableName } from "../published-tables.ts";
import { isOfExtension } from "../relations.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { databasesThere, namesOf, parted } from "./databases.ts";

type Given = z.infer<typeof ofDirection>;

export function tableVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.pglogical-publish",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => publish(context, means, given)),
      probe: (context, given) => probeOf(() => unpublished(context, means, given)),
    }),
    verb({
      name: "postgresql.pglogical-unpublish",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => unpublish(context, means, given)),
      probe: (context, given) => probeOf(async () => (await setsIn(context, means, given)).present),
    }),
    verb({
      name: "postgresql.pglogical-make-slots",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => makeSlots(context, means, given)),
      probe: (context, given) =>
        probeOf(async () => (await slotsMissing(context, means, given)).map(([, slot]) => slot)),
    }),
  ];
}

function setsIn(context: StepContext, means: Means, given: Given) {
  const name = publicationName(ownerOf(context, given), given.direction);
  const names = Object.fromEntries(given.databases.map((database) => [database, name]));
  return parted(context, means, { kind: "set", names });
}

/** An extension's own stay out where they have neither a row nor a key: without one pglogical takes none. */
async function tablesNotIn(sql: Sql, set: string): Promise<readonly string[]> {
  const rows = await sql.rows(
    `SELECT ${tableName} AS name FROM ${publishedTables}
        AND (NOT ${isOfExtension} OR pg_relation_size(c.oid) > 0 OR ${hasKey}) AND NOT EXISTS (
          SELECT FROM pglogical.replication_set_table t JOIN pglogical.replication_set s USING (set_id)
           WHERE s.set_name = $1 AND t.set_reloid = c.oid) ORDER BY 1`,
    [set],
  );
  return rows.map(({ name }) => name ?? "");
}

const hasKey = `EXISTS (
  SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND (i.indisprimary OR i.indisreplident))`;

async function publish(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const set = publicationName(ownerOf(context, given), given.direction);
  let count = 0;
  for (const database of given.databases)
    await ask(
      context,
      means,
      async (sql) => {
        if (!(await namesOf(sql, "set")).includes(set))
          await sql.rows("SELECT pglogical.create_replication_set($1)", [set]);
        for (const table of await tablesNotIn(sql, set)) {
          // each by itself: it waits for whoever writes to the table, and others wait for it
          await patiently(context, async () => {
            await sql.rows("SELECT pglogical.replication_set_add_table($1, $2::regclass, false)", [
              set,
              table,
            ]);
          });
          count += 1;
        }
      },
      { database },
    );
  return done({ set, tables: String(count) });
}

async function unpublished(context: StepContext, means: Means, given: Given): Promise<readonly string[]> {
  const set = publicationName(ownerOf(context, given), given.direction);
  const found: string[] = [];
  for (const database of given.databases) {
    const left = await ask(
      context,
      means,
      async (sql) => ((await namesOf(sql, "set")).includes(set) ? tablesNotIn(sql, set) : [database]),
      { database },
    );
    found.push(...left);
  }
  return found;
}

/** By the name that the other side will ask for: the extension itself makes it out of the same words. */
async function slotName(sql: Sql, { node, subscription }: Readonly<Record<"node" | "subscription", string>>) {
  const [row] = await sql.rows(
    "SELECT pglogical.pglogical_gen_slot_name(current_database(), $1, $2) AS name",
    [node, subscription],
  );
  return row?.["name"] ?? "";
}

async function slotsMissing(
  context: StepContext,
  means: Means,
  given: Given,
): Promise<readonly (readonly [database: string, slot: string])[]> {
  const rollout = ownerOf(context, given);
  const node = publicationName(rollout, given.direction);
  const found: (readonly [string, string])[] = [];
  for (const database of given.databases) {
    const subscription = subscriptionName(rollout, given.direction, database);
    const missing = await ask(
      context,
      means,
      async (sql) => {
        const name = await slotName(sql, { node, subscription });
        const there = await sql.rows("SELECT FROM pg_replication_slots WHERE slot_name = $1", [name]);
        return there.length === 0 ? name : undefined;
      },
      { database },
    );
    if (missing !== undefined) found.push([database, missing]);
  }
  return found;
}

async function makeSlots(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const missing = await slotsMissing(context, means, given);
  for (const [database, slot] of missing)
    await ask(
      context,
      means,
      async (sql) => {
        await sql.rows("SELECT pg_create_logical_replication_slot($1, 'pglogical_output')", [slot]);
      },
      { database },
    );
  return done({ slots: missing.map(([, slot]) => slot).join(", ") });
}

async function unpublish(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const set = publicationName(ownerOf(context, given), given.direction);
  const there = await databasesThere(context, means, given.databases);
  for (const database of (await setsIn(context, means, { ...given, databases: [...there] })).present)
    await ask(
      context,
      means,
      async (sql) => {
        await sql.rows("SELECT pglogical.drop_replication_set($1, true)", [set]);
      },
      { database },
    );
  return done();
}
