/**
 * Tables that came with an extension and are published with all others. CREATE EXTENSION has filled them on the new server: they are
 * emptied there before the old one's rows come, which would be there twice, or not at all for a key that is taken.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { stop } from "./desk.ts";
import { publishedTables, tableName } from "./published-tables.ts";
import { isOfExtension } from "./relations.ts";
import type { Sql } from "./sql.ts";

const names = z.array(z.string());

/** By their quoted names, whether they have rows or not. */
export async function extensionTables(sql: Sql): Promise<readonly string[]> {
  return namesOf(sql, "true");
}

/** Those of the old server's: one that only a newer version of the extension has keeps its own rows. */
async function published(sql: Sql, file: string, condition: string): Promise<readonly string[]> {
  const there = new Set(names.parse(JSON.parse(await readFile(file, "utf8"))));
  return (await namesOf(sql, condition)).filter((name) => there.has(name));
}

const hasRows = "pg_relation_size(c.oid) > 0";

async function namesOf(sql: Sql, condition: string): Promise<readonly string[]> {
  const rows = await sql.rows(
    `SELECT ${tableName} AS name FROM ${publishedTables} AND ${isOfExtension} AND ${condition} ORDER BY 1`,
  );
  return rows.map(({ name }) => name ?? "");
}

/** `file`: the old server's list. Only in a database whose extensions this rollout has made; how many had rows. */
export async function emptyExtensionTables(sql: Sql, file: string): Promise<number> {
  const filled = await published(sql, file, hasRows);
  // together, since they may refer to each other
  if (filled.length > 0) await sql.run(`TRUNCATE ${(await published(sql, file, "true")).join(", ")}`);
  return filled.length;
}

/** Throws FailureError `postgresql.extension-rows`: what somebody else's CREATE EXTENSION has filled is not ours to empty. */
export async function mustHaveNone(sql: Sql, file: string): Promise<void> {
  const filled = await published(sql, file, hasRows);
  if (filled.length > 0)
    stop("postgresql.extension-rows", { database: sql.database, tables: filled.join(", ") });
}
