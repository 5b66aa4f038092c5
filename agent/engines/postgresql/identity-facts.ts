/**
 * Which tables of a database can be found again by their rows: by key, by a chosen index, by all columns. A table that
 * cannot fails on its next UPDATE as soon as it is published, before anybody subscribes.
 */
import { namesKept, type PgDatabase } from "#proto/engines/postgresql.ts";
import { isOfExtension, isOfUser, relationName, relations } from "./relations.ts";
import type { Sql } from "./sql.ts";

export type Identity = Pick<
  PgDatabase,
  "withoutIdentity" | "identityByIndex" | "identityImpossible" | "fullIncomparable" | "generatedIdentity"
> & { readonly counts: Readonly<Record<string, number>> };

type Way = "index" | "full" | "impossible" | "incomparable" | "computed";

/**
 * A key that is deferrable identifies nothing, and neither does a chosen index that was dropped since. Comparable is what
 * the subscriber's apply worker finds an equality operator for: a default btree or hash operator class of the type, of one
 * that it may be taken for without conversion, or of all its parts.
 */
const query = (version: number, most: number) => `
  WITH RECURSIVE tables AS (
    SELECT c.oid, ${relationName} AS name, c.relreplident AS ident
      FROM ${relations} WHERE ${isOfUser} AND c.relkind = 'r' AND c.relpersistence = 'p'
       AND (NOT ${isOfExtension} OR pg_relation_size(c.oid) > 0)
  ), bare AS (
    SELECT oid, name FROM tables t WHERE ident = 'n' OR ident IN ('d', 'i') AND NOT EXISTS (
      SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisvalid AND i.indimmediate
         AND CASE ident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END)
  ), usable AS (
    SELECT DISTINCT ON (i.indrelid) i.indrelid AS oid, quote_ident(x.relname) AS index, i.indkey
      FROM bare JOIN pg_index i ON i.indrelid = bare.oid JOIN pg_class x ON x.oid = i.indexrelid
     WHERE i.indisunique AND i.indisvalid AND i.indisready AND i.indimmediate
       AND i.indpred IS NULL AND i.indexprs IS NULL AND NOT EXISTS (
         SELECT FROM generate_series(0, i.${keys(version)} - 1) k
           LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k] AND a.attnum > 0
          WHERE a.attnotnull IS NOT TRUE)
     ORDER BY i.indrelid, i.${keys(version)}, x.relname
  ), columns AS (
    SELECT t.oid, a.atttypid AS type
      FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
     WHERE a.attnum > 0 AND NOT a.attisdropped ${version >= 120_000 ? "AND a.attgenerated = ''" : ""}
       AND (t.ident = 'f' OR t.oid IN (SELECT oid FROM bare))
  ), parts AS (
    SELECT DISTINCT type AS whole, type AS part FROM columns
    UNION
    SELECT p.whole, inner_type.part
      FROM parts p JOIN pg_type t ON t.oid = p.part CROSS JOIN LATERAL (
        SELECT t.typbasetype AS part WHERE t.typtype = 'd'
        UNION ALL SELECT t.typelem WHERE ${isArray}
        UNION ALL SELECT a.atttypid FROM pg_attribute a
         WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
      ) inner_type
  ), strange AS (
    SELECT DISTINCT p.whole FROM parts p JOIN pg_type t ON t.oid = p.part
     WHERE t.typtype = 'b' AND NOT (${isArray}) AND NOT EXISTS (
       SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod
        WHERE o.opcdefault AND m.amname IN ('btree', 'hash')
          AND (o.opcintype = t.oid OR EXISTS (
            SELECT FROM pg_cast k WHERE k.castsource = t.oid AND k.casttarget = o.opcintype
               AND k.castmethod = 'b' AND k.castcontext = 'i')))
  ), judged AS (
    SELECT t.name, u.index, CASE
             WHEN t.oid IN (SELECT oid FROM columns WHERE type IN (SELECT whole FROM strange))
             THEN CASE WHEN t.ident = 'f' THEN 'incomparable' WHEN u.oid IS NULL THEN 'impossible' ELSE 'index' END
             WHEN t.ident = 'f' THEN 'good' WHEN u.oid IS NULL THEN 'full' ELSE 'index' END AS way, t.ident
      FROM tables t LEFT JOIN usable u ON u.oid = t.oid
     WHERE t.ident = 'f' OR t.oid IN (SELECT oid FROM bare)${version >= 120_000 ? computed : ""}
  ), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY way ORDER BY name) AS place,
           (count(*) OVER (PARTITION BY way))::text AS count
      FROM judged WHERE way <> 'good')
  SELECT name, index, way, count, ident::text FROM ranked WHERE place <= ${most} ORDER BY name`;

/** Whose identity, as it is or as it will be, has a column that is computed: 18 and newer refuse their UPDATE. */
const computed = `
    UNION ALL
    SELECT t.name, NULL, 'computed', t.ident FROM tables t LEFT JOIN (
      SELECT oid, indkey FROM usable UNION ALL
      SELECT i.indrelid, i.indkey FROM pg_index i JOIN tables k ON k.oid = i.indrelid
       WHERE i.indisvalid AND i.indimmediate
         AND CASE k.ident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
      ) chosen ON chosen.oid = t.oid
     WHERE EXISTS (
       SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND a.attgenerated <> '' AND (chosen.oid IS NULL OR a.attnum = ANY (chosen.indkey::int2[])))`;

const isArray = "t.typtype = 'b' AND t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A'";

/** Columns that an index only carries along are counted apart since 11. */
function keys(version: number): string {
  return version >= 110_000 ? "indnkeyatts" : "indnatts";
}

export interface NeedyTable {
  /** As its database spells it. */
  readonly table: string;
  /** A unique index that can be its identity; null where there is none. */
  readonly index: string | null;
  /** Each of its columns can be compared, so that FULL works. */
  readonly comparable: boolean;
  /** The words that put its identity back. */
  readonly was: string;
}

const words: Readonly<Record<string, string>> = { n: "NOTHING", f: "FULL" };

/** All tables without an identity that works, and what each could have. */
export async function needyTables(sql: Sql, version: number): Promise<readonly NeedyTable[]> {
  const rows = await sql.rows(query(version, Number.MAX_SAFE_INTEGER));
  return rows.flatMap(({ name, index, way, ident }) =>
    way === "index" || way === "full" || way === "impossible"
      ? [
          {
            table: name ?? "",
            index: index ?? null,
            comparable: way !== "impossible",
            was: words[ident ?? ""] ?? "DEFAULT",
          },
        ]
      : [],
  );
}

export async function readIdentity(sql: Sql, version: number): Promise<Identity> {
  const rows = await sql.rows(query(version, namesKept));
  const of = (...ways: readonly Way[]) => rows.filter(({ way }) => ways.some((each) => each === way));
  const names = (...ways: readonly Way[]) => of(...ways).map(({ name }) => name ?? "");
  const count = (way: Way) => Number(of(way)[0]?.["count"] ?? 0);
  const without = names("index", "full", "impossible").slice(0, namesKept);
  const all: Readonly<Record<string, number>> = {
    withoutIdentity: count("index") + count("full") + count("impossible"),
    identityByIndex: count("index"),
    identityImpossible: count("impossible"),
    fullIncomparable: count("incomparable"),
    generatedIdentity: count("computed"),
  };
  return {
    withoutIdentity: without,
    identityByIndex: of("index").map(({ name, index }) => `${name} using ${index}`),
    identityImpossible: names("impossible"),
    fullIncomparable: names("incomparable"),
    generatedIdentity: names("computed"),
    counts: Object.fromEntries(Object.entries(all).filter(([, found]) => found > namesKept)),
  };
}
