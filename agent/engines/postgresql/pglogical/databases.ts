/** Databases in which pglogical is, and what of ours is in them. */
import type { StepContext } from "../../../verb.ts";
import { ask } from "../desk.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";

type Looking = Pick<StepContext, "host" | "signal">;

/** Of those that are asked about: one that is gone has nothing. */
export async function databasesThere(
  context: Looking,
  means: Means,
  names: readonly string[],
): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT datname AS name FROM pg_database WHERE datallowconn AND datconnlimit >= -1"),
  );
  return names.filter((each) => rows.some(({ name }) => name === each));
}

export async function hasExtension(sql: Sql): Promise<boolean> {
  return (await sql.rows("SELECT FROM pg_extension WHERE extname = 'pglogical'")).length > 0;
}

type Kind = "node" | "set" | "subscription";

const queries: Readonly<Record<Kind, string>> = {
  node: "SELECT node_name AS name FROM pglogical.node JOIN pglogical.local_node USING (node_id)",
  set: "SELECT set_name AS name FROM pglogical.replication_set",
  subscription: "SELECT sub_name AS name FROM pglogical.subscription",
};

/** Names of that kind in this database; none where pglogical is not. */
export async function namesOf(sql: Sql, kind: Kind): Promise<readonly string[]> {
  if (!(await hasExtension(sql))) return [];
  return (await sql.rows(queries[kind])).map(({ name }) => name ?? "");
}

/** In which of them it is, and in which it is not. */
export async function parted(
  context: Looking,
  means: Means,
  { kind, names }: { readonly kind: Kind; readonly names: Readonly<Record<string, string>> },
): Promise<{ readonly present: readonly string[]; readonly missing: readonly string[] }> {
  const there = await databasesThere(context, means, Object.keys(names));
  const present: string[] = [];
  for (const database of there) {
    const found = await ask(context, means, (sql) => namesOf(sql, kind), { database });
    if (found.includes(names[database] ?? "")) present.push(database);
  }
  return { present, missing: Object.keys(names).filter((database) => !present.includes(database)) };
}
