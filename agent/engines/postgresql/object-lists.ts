/** Objects of a database that a person must know of before it is replicated, by kind: the first of each, and how many. */
import { namesKept, type PgDatabase } from "#proto/engines/postgresql.ts";
import { isOfExtension, isOfUser, relationName, relations } from "./relations.ts";
import type { Sql } from "./sql.ts";

const regTypes =
  "regproc, regprocedure, regoper, regoperator, regconfig, regdictionary, regclass, regtype, regrole, regnamespace, regcollation";

const mine = `${isOfUser} AND NOT ${isOfExtension}`;
const kind = (condition: string) =>
  `SELECT ${relationName} AS name FROM ${relations} WHERE ${mine} AND ${condition}`;

/** That are the table's identity, or can be made it: all columns NOT NULL, nothing left out, nothing computed. */
const identityIndexes = `
  SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisvalid AND i.indimmediate AND i.indisunique
     AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
       SELECT FROM generate_series(0, coalesce((to_jsonb(i) ->> 'indnkeyatts')::int, i.indnatts) - 1) k
         LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND a.attnum > 0
        WHERE a.attnotnull IS NOT TRUE)`;

/** Each gives names in one column, `name`. */
const queries = {
  keyless: `
    SELECT ${relationName} AS name FROM ${relations}
     WHERE ${isOfUser} AND c.relkind = 'r' AND c.relpersistence = 'p'
       AND (NOT ${isOfExtension} OR pg_relation_size(c.oid) > 0)
       AND (c.relreplident = 'f' OR NOT EXISTS (${identityIndexes}))`,
  unlogged: kind("c.relkind = 'r' AND c.relpersistence = 'u'"),
  foreignTables: kind("c.relkind = 'f'"),
  materializedViews: kind("c.relkind = 'm'"),
  rowSecurity: kind("c.relkind IN ('r', 'p') AND c.relrowsecurity"),
  alwaysTriggers: `
    SELECT ${relationName} || ' ' || quote_ident(t.tgname) AS name
      FROM ${relations} JOIN pg_trigger t ON t.tgrelid = c.oid
     WHERE ${mine} AND t.tgenabled IN ('A', 'R') AND NOT t.tgisinternal`,
  eventTriggers: `
    SELECT quote_ident(evtname) AS name FROM pg_event_trigger e WHERE evtenabled <> 'D' AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')`,
  publications: "SELECT pubname AS name FROM pg_publication",
  subscriptions: `
    SELECT subname AS name FROM pg_subscription s JOIN pg_database b ON b.oid = s.subdbid
     WHERE b.datname = current_database()`,
  regColumns: `
    SELECT ${relationName} || '.' || quote_ident(a.attname) AS name
      FROM ${relations} JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE ${mine} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
       AND format_type(a.atttypid, NULL) = ANY (string_to_array('${regTypes}', ', '))`,
  extensionTables: `
    SELECT ${relationName} || ' of ' || quote_ident(x.extname) AS name
      FROM ${relations} JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.deptype = 'e'
      JOIN pg_extension x ON o.refclassid = 'pg_extension'::regclass AND x.oid = o.refobjid
     WHERE ${isOfUser} AND c.relkind = 'r' AND c.relpersistence = 'p' AND pg_relation_size(c.oid) > 0`,
  foreignServers: "SELECT quote_ident(srvname) AS name FROM pg_foreign_server",
} as const;

type ListName = keyof typeof queries;
const listNames = Object.keys(queries) as ListName[];

export type Lists = Pick<PgDatabase, ListName | "userTables" | "sequences" | "counts">;

export async function listsOf(sql: Sql): Promise<Lists> {
  const counts: Record<string, number> = {};
  const lists: Partial<Record<ListName, string[]>> = {};
  for (const each of listNames) {
    const rows = await sql.rows(`
      SELECT name, (count(*) OVER ())::text AS count FROM (${queries[each]}) found ORDER BY name LIMIT ${namesKept}`);
    lists[each] = rows.map((row) => row["name"] ?? "");
    const count = Number(rows[0]?.["count"] ?? 0);
    if (count > namesKept) counts[each] = count;
  }
  const [row] = await sql.rows(`
    SELECT count(*)::text AS relations, (count(*) FILTER (WHERE c.relkind = 'S'))::text AS sequences
      FROM ${relations} WHERE ${mine} AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')`);
  return {
    ...(lists as Record<ListName, string[]>),
    userTables: Number(row?.["relations"]),
    sequences: Number(row?.["sequences"]),
    counts,
  };
}
