/**
 * What is in each database, over one connection of its own, two at a time: what logical replication needs and what it does
 * not carry. Reads catalogues only, never a table of the user's.
 */
import { type Outcome, succeed } from "#proto/common/failure.ts";
import type { PgDatabase } from "#proto/engines/postgresql.ts";
import type { Host } from "../../verb.ts";
import { readIdentity } from "./identity-facts.ts";
import { listsOf } from "./object-lists.ts";
import { namesOf } from "./pglogical/databases.ts";
import { relations } from "./relations.ts";
import type { Means } from "./settings.ts";
import { type Row, type Sql, versionOf, withSql } from "./sql.ts";
import { bulkAsFarAsAllowed } from "./unreplicated/bulk.ts";

const atOnce = 2;
const statementMs = 30_000;

/** All that take connections and are no template. One that cannot be read makes the whole unknown: it has data too. */
export async function readDatabases(
  host: Host,
  means: Means,
  signal: AbortSignal,
): Promise<Outcome<PgDatabase[]>> {
  const heads = await withSql(host, means, { signal, statementMs, isLook: true }, async (sql) =>
    succeed(await headsOf(sql)),
  );
  if (!heads.ok) return heads;
  const waiting = [...heads.value];
  const found: PgDatabase[] = [];
  const work = async (): Promise<Outcome<undefined>> => {
    for (let head = waiting.shift(); head !== undefined; head = waiting.shift()) {
      const one = head;
      const options = { signal, statementMs, isLook: true, database: one["name"] ?? "" };
      const read = await withSql(host, means, options, async (sql) => succeed(await readOne(sql, one)));
      if (!read.ok) {
        waiting.length = 0;
        return read;
      }
      found.push(read.value);
    }
    return succeed(undefined);
  };
  const ended = await Promise.all(Array.from({ length: atOnce }, work));
  for (const each of ended) if (!each.ok) return each;
  return succeed(found.sort((left, right) => (left.name < right.name ? -1 : 1)));
}

async function headsOf(sql: Sql): Promise<readonly Row[]> {
  const version = await versionOf(sql);
  return sql.rows(`
    SELECT datname AS name, pg_get_userbyid(datdba) AS owner, pg_encoding_to_char(encoding) AS encoding,
           datcollate AS collate, datctype AS ctype, pg_database_size(oid)::text AS size, datconnlimit::text AS limit,
           ${version >= 150_000 ? "datlocprovider, datcollversion, pg_database_collation_actual_version(oid) AS now" : "'c' AS datlocprovider, NULL AS datcollversion, NULL AS now"},
           ${localeColumn(version)} AS locale
      FROM pg_database WHERE datallowconn AND NOT datistemplate AND datconnlimit >= -1 ORDER BY 1`);
}

function localeColumn(version: number): string {
  if (version >= 170_000) return "datlocale";
  return version >= 150_000 ? "daticulocale" : "NULL::text";
}

const providers: Readonly<Record<string, string>> = { c: "libc", i: "icu", b: "builtin" };

async function readOne(sql: Sql, head: Row): Promise<PgDatabase> {
  const version = await versionOf(sql);
  const { counts: ofIdentity, ...identity } = await readIdentity(sql, version);
  const { counts, ...lists } = await listsOf(sql);
  const numbers = await numbersOf(sql);
  return {
    ...headFacts(head),
    ...identity,
    ...lists,
    ...numbers,
    ...(await bulkAsFarAsAllowed(sql)),
    extensions: await extensionsOf(sql),
    counts: { ...counts, ...ofIdentity },
  };
}

function headFacts(head: Row) {
  const [made, now] = [head["datcollversion"] ?? null, head["now"] ?? null];
  return {
    name: head["name"] ?? "",
    owner: head["owner"] ?? "",
    encoding: head["encoding"] ?? "",
    collate: head["collate"] ?? "",
    ctype: head["ctype"] ?? "",
    provider: providers[head["datlocprovider"] ?? ""] ?? "libc",
    locale: head["locale"] ?? null,
    collationVersion: made === null || now === null ? null : { made, now },
    sizeBytes: Number(head["size"]),
    connectionLimit: Number(head["limit"]),
  };
}

async function extensionsOf(sql: Sql): Promise<{ name: string; version: string }[]> {
  const rows = await sql.rows("SELECT extname, extversion FROM pg_extension ORDER BY 1");
  return rows.map((row) => ({ name: row["extname"] ?? "", version: row["extversion"] ?? "" }));
}

async function numbersOf(
  sql: Sql,
): Promise<Pick<PgDatabase, "largeObjects" | "hypertables" | "pglogicalNode">> {
  const [row] = await sql.rows(`
    SELECT (SELECT count(*)::text FROM pg_largeobject_metadata) AS large,
           EXISTS (SELECT FROM ${relations} JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                     JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass AND x.oid = d.refobjid
                    WHERE d.deptype = 'e' AND x.extname = 'timescaledb' AND c.relkind = 'r'
                      AND n.nspname = '_timescaledb_catalog' AND c.relname = 'hypertable')::text AS hypertables`);
  // whoever owns the database may have made something else of that name
  const [hypertables] =
    row?.["hypertables"] === "true"
      ? await sql.rows("SELECT count(*)::text AS count FROM _timescaledb_catalog.hypertable")
      : [];
  const [node] = await namesOf(sql, "node");
  return {
    largeObjects: Number(row?.["large"]),
    hypertables: Number(hypertables?.["count"] ?? 0),
    pglogicalNode: node ?? null,
  };
}
