/** Publications, subscriptions and slots of one rollout on this server: which of its databases have theirs. */
import type { z } from "zod";
import type { StepContext } from "../../verb.ts";
import { ask, type ofDirection, ownerOf } from "./desk.ts";
import { type Direction, publicationName, subscriptionName } from "./names.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

export type Given = z.infer<typeof ofDirection>;

interface Kind {
  readonly query: string;
  name(rollout: string, way: Direction, database: string): string;
}

export const publications: Kind = {
  query: "SELECT pubname AS name FROM pg_publication",
  name: publicationName,
};

export const subscriptions: Kind = {
  query:
    "SELECT subname AS name FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
  name: subscriptionName,
};

export const slots: Kind = {
  query: "SELECT slot_name AS name FROM pg_replication_slots WHERE database = current_database()",
  name: subscriptionName,
};

async function has(sql: Sql, { query }: Kind, name: string): Promise<boolean> {
  return (await sql.rows(query)).some((row) => row["name"] === name);
}

async function split(context: StepContext, means: Means, given: Given, kind: Kind) {
  const found: { database: string; there: boolean }[] = [];
  for (const database of given.databases) {
    const name = kind.name(ownerOf(context, given), given.direction, database);
    found.push({
      database,
      there: (await isDatabase(context, means, database))
        ? await ask(context, means, (sql) => has(sql, kind, name), { database })
        : false,
    });
  }
  return found;
}

/** Where DROP DATABASE was interrupted nothing is, and nobody can look. */
async function isDatabase(context: StepContext, means: Means, database: string): Promise<boolean> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT FROM pg_database WHERE datname = $1 AND datconnlimit >= -1", [database]),
  );
  return rows.length > 0;
}

export async function missing(
  context: StepContext,
  means: Means,
  given: Given,
  kind: Kind,
): Promise<readonly string[]> {
  return (await split(context, means, given, kind)).flatMap(({ database, there }) =>
    there ? [] : [database],
  );
}

export async function present(
  context: StepContext,
  means: Means,
  given: Given,
  kind: Kind,
): Promise<readonly string[]> {
  return (await split(context, means, given, kind)).flatMap(({ database, there }) =>
    there ? [database] : [],
  );
}
