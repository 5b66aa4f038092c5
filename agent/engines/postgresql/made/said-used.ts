/**
 * What somebody has put into a server that was made by us, by what the server says: views, functions, roles, rights and comments have
 * no file of their own.
 */
import type { StepContext } from "../../../verb.ts";
import { ask, stop } from "../desk.ts";
import type { Means } from "../settings.ts";
import type { Row, Sql } from "../sql.ts";
import type { MadePlace } from "./place.ts";
import { firstOfUsers } from "./used.ts";

/** Words for what a person knows by another name than its catalogue's. */
const words: Readonly<Record<string, string>> = {
  pg_authid: "roles",
  pg_class: "views or other relations",
  pg_database: "databases",
  pg_namespace: "schemas",
  pg_proc: "functions",
};

/** What `initdb` writes there itself, on every version. */
const ownComments = [
  "default template for new databases",
  "unmodifiable empty database",
  "default administrative connection database",
];

/** Each with how many; empty where there is nothing but what `initdb` and we have made. Throws FailureError. */
export async function saidUsed(
  context: Pick<StepContext, "host" | "signal">,
  means: Means,
  { data, tablespaces }: Pick<MadePlace, "data" | "tablespaces">,
): Promise<readonly string[]> {
  const spaces = JSON.stringify(Object.keys(tablespaces));
  const { names, shared } = await ask(context, means, async (sql) => {
    const [server] = await sql.rows("SELECT current_setting('data_directory') AS folder");
    if (server?.["folder"] !== data)
      stop("postgresql.another-folder", { found: server?.["folder"] ?? "", data });
    const open = await sql.rows("SELECT datname FROM pg_database WHERE datallowconn ORDER BY oid");
    return {
      names: open.map(({ datname }) => datname ?? ""),
      shared: [...(await numbered(sql, "relisshared", spaces)), ...(await sql.rows(sharedRows))],
    };
  });
  const found = toldOf(shared);
  let own: string | undefined;
  for (const database of names) {
    const { rows, state } = await ask(context, means, ofDatabase, { database });
    found.push(...toldOf(rows).map((each) => `${each} in ${database}`));
    // all of them are copies of the first, template1
    own ??= state;
    if (state !== own) found.push(`comments or rights on initdb's own objects in ${database}`);
  }
  return found;
}

async function ofDatabase(sql: Sql) {
  const [state] = await sql.rows(ofInitdb);
  return {
    rows: [...(await numbered(sql, "NOT relisshared")), ...(await sql.rows(labels))],
    state: state?.["state"] ?? "",
  };
}

function toldOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ name, count }) =>
    count === "0" ? [] : [`${words[name ?? ""] ?? name ?? ""} (${count})`],
  );
}

/** Of every catalogue whose rows have numbers; those that this version has. */
async function numbered(sql: Sql, which: string, spaces?: string): Promise<readonly Row[]> {
  const catalogues = await sql.rows(`
    SELECT relname FROM pg_class c
     WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r' AND ${which}
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'oid')
     ORDER BY relname`);
  const each = catalogues.map(
    ({ relname }) =>
      `SELECT '${relname}' AS name, count(*)::text AS count FROM ${relname} WHERE ${isOfUsers(relname ?? "")}`,
  );
  return sql.rows(each.join(" UNION ALL "), spaces === undefined ? [] : [spaces]);
}

function isOfUsers(catalogue: string): string {
  const isLater = `oid >= ${firstOfUsers}`;
  switch (catalogue) {
    // a person may choose its number
    case "pg_largeobject_metadata":
      return "true";
    case "pg_tablespace":
      return `${isLater} AND spcname NOT IN (SELECT json_array_elements_text($1::json))`;
    // where the system has very many, initdb runs out of its own numbers
    case "pg_collation":
      return `${isLater} AND collnamespace <> 'pg_catalog'::regnamespace`;
    default:
      return isLater;
  }
}

/** Without numbers, and of all databases. */
const sharedRows = `
  SELECT 'settings of roles and databases' AS name, count(*)::text AS count FROM pg_db_role_setting
  UNION ALL SELECT 'security labels', count(*)::text FROM pg_shseclabel
  UNION ALL SELECT 'comments', count(*)::text FROM pg_shdescription
             WHERE description NOT IN (${ownComments.map((each) => `'${each}'`).join(", ")})
  UNION ALL SELECT 'memberships', count(*)::text FROM pg_auth_members WHERE member <> 'pg_monitor'::regrole
  UNION ALL SELECT 'replication origins', count(*)::text FROM pg_replication_origin
  UNION ALL SELECT 'slots', count(*)::text FROM pg_replication_slots
  UNION ALL SELECT 'rights on database postgres', count(*)::text FROM pg_database
             WHERE datname = 'postgres' AND datacl IS NOT NULL`;

const labels = "SELECT 'security labels' AS name, count(*)::text AS count FROM pg_seclabel";

/** One text for all comments, and all rights that can be given on what `initdb` has made. */
const ofInitdb = `
  SELECT md5(string_agg(part, ',' ORDER BY part)) AS state FROM (
    SELECT d::text AS part FROM pg_description d
    UNION ALL SELECT 'c' || oid || relacl::text FROM pg_class WHERE relacl IS NOT NULL
    UNION ALL SELECT 'a' || attrelid || ' ' || attnum || attacl::text FROM pg_attribute WHERE attacl IS NOT NULL
    UNION ALL SELECT 'p' || oid || proacl::text FROM pg_proc WHERE proacl IS NOT NULL
    UNION ALL SELECT 'n' || oid || nspacl::text FROM pg_namespace WHERE nspacl IS NOT NULL
    UNION ALL SELECT 't' || oid || typacl::text FROM pg_type WHERE typacl IS NOT NULL
    UNION ALL SELECT 'l' || oid || lanacl::text FROM pg_language WHERE lanacl IS NOT NULL
  ) AS parts`;
