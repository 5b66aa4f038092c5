/** What of a rollout is still on this server and on its host: looked for in every database, and in every file we write. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { markFolder } from "../../host/marks.ts";
import type { StepContext } from "../../verb.ts";
import { ask, inEach } from "./desk.ts";
import { isOf, ownPrefix } from "./names.ts";
import { passfilesOf } from "./passfile.ts";
import type { Means } from "./settings.ts";

/** `kind name`, of slots, subscriptions, publications, roles, lines of pg_hba.conf, password files and prior values. */
export async function leftOversOf(
  context: StepContext,
  means: Means,
  rollout: string,
): Promise<readonly string[]> {
  const found: string[] = [];
  const add = (kind: string, names: readonly (string | null | undefined)[]) =>
    found.push(...names.flatMap((name) => (name && isOf(rollout, name) ? [`${kind} ${name}`] : [])));
  const { hba, databases } = await ask(context, means, async (sql) => {
    add("slot", (await sql.rows("SELECT slot_name AS name FROM pg_replication_slots")).map(nameOf));
    add("role", (await sql.rows("SELECT rolname AS name FROM pg_roles")).map(nameOf));
    add("subscription", (await sql.rows("SELECT subname AS name FROM pg_subscription")).map(nameOf));
    const names = await sql.rows("SELECT datname AS name FROM pg_database WHERE datallowconn");
    const [file] = await sql.rows("SHOW hba_file");
    return { hba: file?.["hba_file"] ?? "", databases: names.map((row) => row["name"] ?? "") };
  });
  const publications = await inEach(context, means, databases, (sql) =>
    sql.rows("SELECT pubname AS name FROM pg_publication"),
  );
  for (const each of publications) add("publication", each.map(nameOf));
  const lines = (await readFile(context.host.path(hba), "utf8")).split("\n");
  const roles = lines.flatMap((line) => (line.includes(ownPrefix) ? [line.trim().split(/\s+/)[2]] : []));
  add("line of pg_hba.conf for", roles);
  add("password file", await passfilesOf(context.host, means));
  const marks = await readdir(markFolder({ host: context.host, rollout })).catch(() => []);
  found.push(
    ...marks.map((mark) => `prior value ${join(markFolder({ host: context.host, rollout }), mark)}`),
  );
  return found;
}

function nameOf(row: Readonly<Record<string, string | null>>): string | null | undefined {
  return row["name"];
}
