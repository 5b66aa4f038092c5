/** The schema, dumped where the data is: roles of the whole server, and each database without its rows. */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolderDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { slug } from "../databases.ts";
import { client } from "./client-tools.ts";
import { ask, inEach, must, ofDatabases, resultOf } from "./desk.ts";
import { extensionTables } from "./extension-tables.ts";
import { identityIndexes } from "./identities.ts";
import { isOwn } from "./names.ts";
import type { Means } from "./settings.ts";

export function exportVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.export-schema",
      class: "observe",
      args: ofDatabases,
      run: (context, { databases }) => resultOf(() => exportAll(context, means, databases)),
    }),
  ];
}

/** Roles hold verifiers: the files are this agent's alone, and go when they were sent. */
async function exportAll(
  context: StepContext,
  means: Means,
  databases: readonly string[],
): Promise<StepResult> {
  const folder = join(markFolder(context), "export");
  await makeFolderDurably(folder);
  try {
    const roles = join(folder, "roles.sql");
    await client(context, means, "pg_dumpall", ["--roles-only", "-f", roles]);
    must(await context.parcels.send("roles", roles));
    const lists = {
      identities: await inEach(context, means, databases, identityIndexes),
      "extension-tables": await inEach(context, means, databases, extensionTables),
    };
    for (const [index, database] of databases.entries()) {
      const file = join(folder, `${slug(database)}.dump`);
      const words = ["-Fc", "--schema-only", "--no-publications", "--no-subscriptions", "-f", file];
      await client(context, means, "pg_dump", [...words, "-d", connection(database)]);
      must(await context.parcels.send(`schema-${slug(database)}`, file));
      for (const [name, found] of Object.entries(lists)) {
        const list = join(folder, `${slug(database)}.${name}`);
        await writeFile(list, JSON.stringify(found[index] ?? []), { mode: 0o600 });
        must(await context.parcels.send(`${name}-${slug(database)}`, list));
      }
      context.progress({ database, done: String(index + 1), of: String(databases.length) });
    }
    const names = await ask(context, means, (sql) =>
      sql.rows(`SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND NOT ${isOwn("rolname")}`),
    );
    return done({ roles: String(names.length), databases: String(databases.length) });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A name that looks like a connection string is not taken for one. */
export function connection(database: string): string {
  return `dbname='${database.replaceAll(/(['\\])/g, "\\$1")}'`;
}
