/** What of moves is still on this server and on its host: looked for in every database, and in every file we write. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isOwnName } from "#proto/engines/postgresql-names.ts";
import { folderOf, marksFolder } from "../../host/marks.ts";
import { namesIn } from "../../host/names-in.ts";
import type { StepContext } from "../../verb.ts";
import { ask, inEach } from "./desk.ts";
import { isOf, isOwn } from "./names.ts";
import { passfilesOf } from "./passfile.ts";
import { oursIn } from "./patroni/configuration.ts";
import { configurationNow } from "./patroni/patronictl.ts";
import { isOurSlot, pglogicalLeftOvers } from "./pglogical/left-overs.ts";
import type { Means } from "./settings.ts";
import { syncSlotsOf } from "./slots.ts";
import type { Row } from "./sql.ts";

type Looking = Pick<StepContext, "host" | "signal">;

interface LeftOver {
  /** Of the object, or of the folder of notes: it tells whose it is. */
  readonly name: string;
  /** `kind name`, and `in database` where it belongs to one. */
  readonly says: string;
}

/** Of one rollout alone. */
export async function leftOversOf(
  context: Looking,
  means: Means,
  { rollout, subscriber }: { readonly rollout: string; readonly subscriber?: string | undefined },
): Promise<readonly string[]> {
  const all = await everyLeftOver(context, means);
  const slots = await syncSlotsOf(context, means, subscriber);
  return [
    ...all.flatMap(({ name, says }) => (isOf(rollout, name) || name === folderOf(rollout) ? [says] : [])),
    ...slots.map((name) => `slot ${name}`),
  ];
}

/** Of whatever rollout. */
export async function leftOversOn(context: Looking, means: Means): Promise<string[]> {
  return (await everyLeftOver(context, means)).map(({ says }) => says);
}

/** Slots, subscriptions, publications, roles, lines of pg_hba.conf and of Patroni, password files and prior values. */
async function everyLeftOver(context: Looking, means: Means): Promise<readonly LeftOver[]> {
  const { patroni } = means.settings;
  const { inServer, databases, hba } = await ask(context, means, async (sql) => {
    const names = await sql.rows(
      "SELECT datname AS name FROM pg_database WHERE datallowconn AND datconnlimit >= -1",
    );
    const [file] = await sql.rows("SHOW hba_file");
    return {
      inServer: (await sql.rows(objects)).map(leftOver),
      databases: names.map(({ name }) => name ?? ""),
      hba: file?.["hba_file"] ?? "",
    };
  });
  const inDatabases = await inEach(context, means, databases, async (sql) => [
    ...(await sql.rows(publications)),
    ...(await pglogicalLeftOvers(sql)),
  ]);
  return [
    ...inServer,
    ...inDatabases.flat().map(leftOver),
    ...(await linesIn(context.host.path(hba))),
    ...(await passfilesOf(context.host, means))
      .filter(isOwnName)
      .map((name) => ({ name, says: `password file ${name}` })),
    ...(patroni === undefined ? [] : oursIn(await configurationNow(context.host, patroni))),
    ...(await notesOn(context)),
  ];
}

const objects = `
  SELECT rolname AS name, 'role ' || rolname AS says FROM pg_roles WHERE ${isOwn("rolname")}
  UNION ALL SELECT slot_name, 'slot ' || slot_name FROM pg_replication_slots
    WHERE ${isOwn("slot_name")} OR ${isOurSlot("slot_name")}
  UNION ALL SELECT roname, 'replication origin ' || roname FROM pg_replication_origin WHERE ${isOurSlot("roname")}
  UNION ALL SELECT subname, 'subscription ' || subname || ' in ' || datname FROM pg_subscription
    JOIN pg_database d ON d.oid = subdbid WHERE ${isOwn("subname")} ORDER BY 2`;
const publications = `
  SELECT pubname AS name, 'publication ' || pubname || ' in ' || current_database() AS says
    FROM pg_publication WHERE ${isOwn("pubname")} ORDER BY 1`;

function leftOver(row: Row): LeftOver {
  return { name: row["name"] ?? "", says: row["says"] ?? "" };
}

async function linesIn(hba: string): Promise<readonly LeftOver[]> {
  const lines = (await readFile(hba, "utf8")).split("\n").map((line) => line.trim());
  const roles = lines.map((line) => (line.startsWith("#") ? "" : (line.split(/\s+/)[2] ?? "")));
  return roles.filter(isOwnName).map((name) => ({ name, says: `line of pg_hba.conf for ${name}` }));
}

async function notesOn({ host }: Looking): Promise<readonly LeftOver[]> {
  const found: LeftOver[] = [];
  for (const name of await namesIn(marksFolder(host)))
    for (const note of await namesIn(join(marksFolder(host), name)))
      found.push({ name, says: `prior value ${join(marksFolder(host), name, note)}` });
  return found;
}
