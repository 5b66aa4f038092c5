/** What a side holds of what replication does not carry, by content; as it is sent, and held against the other side's. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { unreplicatedKinds } from "#proto/engines/postgresql-unreplicated.ts";
import type { StepContext } from "../../../verb.ts";
import { jsonArg } from "../../json-arg.ts";
import { countRows, hashRows } from "../content.ts";
import { stop } from "../desk.ts";
import { fetched } from "../mending/parcel.ts";
import type { Sql } from "../sql.ts";
import { unloggedNames } from "./bulk.ts";

const kind = z.enum(unreplicatedKinds);
export const kinds = jsonArg("a JSON list of kinds", z.array(kind));
export type Kinds = readonly z.infer<typeof kind>[];

const objectSchema = z.object({
  owner: z.string(),
  /** As pg_largeobject_metadata has them, also where they are the owner's alone; sorted. */
  rights: z.string(),
  /** Hashes: of the comment, empty where there is none, and of all bytes. */
  comment: z.string(),
  content: z.string(),
});
const contentsSchema = z.object({
  /** By oid. */
  objects: z.record(z.string(), objectSchema),
  /** Unlogged ones. */
  tables: z.record(z.string(), z.object({ rows: z.string(), hash: z.string() })),
});
const sentSchema = z.object({
  format: z.literal(1),
  kinds: z.array(kind),
  databases: z.record(z.string(), contentsSchema),
});
export type Unreplicated = z.infer<typeof contentsSchema>;
export type SentContents = z.infer<typeof sentSchema>;

/** Under which the old side's contents are sent; its dumps bear it too, each with its database. */
export const parcelName = "unreplicated";

const allObjects = `
  SELECT m.oid::text AS id, pg_get_userbyid(lomowner)::text AS owner, md5(lo_get(m.oid)) AS content,
         coalesce((SELECT string_agg(a::text, ' ' ORDER BY a::text COLLATE "C")
                     FROM unnest(coalesce(lomacl, acldefault('L', lomowner))) a), '') AS rights,
         coalesce(md5(obj_description(m.oid, 'pg_largeobject')), '') AS comment
    FROM pg_largeobject_metadata m`;

export async function contentsOf(sql: Sql, wanted: Kinds): Promise<Unreplicated> {
  const objects: Unreplicated["objects"] = {};
  const tables: Unreplicated["tables"] = {};
  if (wanted.includes("large-objects"))
    for (const { id, owner, rights, comment, content } of await sql.rows(allObjects))
      objects[id ?? ""] = {
        owner: owner ?? "",
        rights: rights ?? "",
        comment: comment ?? "",
        content: content ?? "",
      };
  const names = wanted.includes("unlogged") ? await unloggedNames(sql) : [];
  const counts = await countRows(sql, names);
  for (const name of names) tables[name] = { rows: counts[name] ?? "", hash: await hashRows(sql, name) };
  return { objects, tables };
}

/** A table is there to be filled also where it has no rows. */
export function isNothing({ objects, tables }: Unreplicated): boolean {
  return Object.keys(objects).length === 0 && Object.values(tables).every(({ rows }) => rows === "0");
}

export function differencesOf(there: Unreplicated, here: Unreplicated): readonly string[] {
  const ids = [...new Set([...Object.keys(there.objects), ...Object.keys(here.objects)])];
  const names = [...new Set([...Object.keys(there.tables), ...Object.keys(here.tables)])];
  return [
    ...ids.flatMap((id) =>
      named(`large object ${id}`, there.objects[id], here.objects[id], [
        "content",
        "owner",
        "rights",
        "comment",
      ]),
    ),
    ...names.flatMap((name) => named(name, there.tables[name], here.tables[name], ["rows", "hash"])),
  ];
}

const called: Readonly<Record<string, string>> = { rows: "number of rows", hash: "content" };

function named<T extends object>(
  name: string,
  there: T | undefined,
  here: T | undefined,
  parts: readonly (keyof T & string)[],
): readonly string[] {
  if (here === undefined) return [`${name} is not here`];
  if (there === undefined) return [`${name} is here alone`];
  const other = parts.filter((part) => there[part] !== here[part]);
  return other.length === 0 ? [] : [`${name}: other ${other.map((part) => called[part] ?? part).join(", ")}`];
}

/** Throws FailureError: `postgresql.parcel-missing`. */
export async function sentContents(context: StepContext): Promise<SentContents> {
  return sentSchema.parse(JSON.parse(await readFile(await fetched(context, parcelName), "utf8")));
}

export function contentsIn({ databases }: SentContents, database: string): Unreplicated {
  return databases[database] ?? stop("postgresql.parcel-missing", { what: `${parcelName} of ${database}` });
}
