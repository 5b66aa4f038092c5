/**
 * What each server needs before pglogical can carry anything: the extension in every database, a node there, and a role by which the
 * server connects to itself, since so it writes the rows of a copy, past our own fence. What was there before stays.
 */
import { z } from "zod";
import { markOf } from "../../../host/marks.ts";
import { done } from "../../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { literal, quoted, slug } from "../../databases.ts";
import { conninfoOf } from "../conninfo.ts";
import { ask, must, ofDirection, ownerOf, patiently, probeOf, resultOf, stop } from "../desk.ts";
import { addHbaLine, hasHbaLine, ownSocket, removeHbaLine } from "../hba.ts";
import { publicationName, selfRoleName } from "../names.ts";
import { keepPassword, passfileOf, passfilesOf, removePassword, scramVerifier } from "../passfile.ts";
import { readsFile, serverAccount } from "../server-files.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { databasesThere, hasExtension, namesOf, parted } from "./databases.ts";

type Given = z.infer<typeof ofDirection>;

/** The schema stays behind when the extension goes. */
const made = z.object({ extensionWasThere: z.boolean(), schemaWasThere: z.boolean() });

export function nodeVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.pglogical-make-node",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => make(context, means, given)),
      probe: (context, given) => probeOf(async () => (await nodesIn(context, means, given)).missing),
    }),
    verb({
      name: "postgresql.pglogical-drop-node",
      class: "reversible",
      args: ofDirection,
      run: (context, given) => resultOf(() => drop(context, means, given)),
      probe: (context, given) => probeOf(() => left(context, means, given)),
    }),
  ];
}

function markFor({ host }: StepContext, rollout: string, database: string) {
  return markOf({ host, rollout }, `pglogical-${slug(database)}`, made);
}

function nodesIn(context: StepContext, means: Means, given: Given) {
  const name = publicationName(ownerOf(context, given), given.direction);
  const names = Object.fromEntries(given.databases.map((database) => [database, name]));
  return parted(context, means, { kind: "node", names });
}

async function make(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const rollout = ownerOf(context, given);
  const role = selfRoleName(rollout, given.direction);
  const at = await admitSelf(context, means, role);
  const name = publicationName(rollout, given.direction);
  for (const database of (await nodesIn(context, means, given)).missing) {
    const dsn = conninfoOf({
      ...at,
      user: role,
      dbname: database,
      passfile: passfileOf(means, role),
      connect_timeout: "10",
      options: "-c default_transaction_read_only=off -c log_statement=none",
    });
    await ask(
      context,
      means,
      async (sql) => {
        const mark = markFor(context, rollout, database);
        if ((await mark.read()) === undefined)
          await mark.write({
            extensionWasThere: await hasExtension(sql),
            schemaWasThere:
              (await sql.rows("SELECT FROM pg_namespace WHERE nspname = 'pglogical'")).length > 0,
          });
        await sql.run("CREATE EXTENSION IF NOT EXISTS pglogical");
        const [other] = await namesOf(sql, "node");
        if (other !== undefined) stop("postgresql.pglogical-node-there", { database, node: other });
        await sql.rows("SELECT pglogical.create_node($1, $2)", [name, dsn]);
      },
      { database },
    );
  }
  return done({ node: name, databases: String(given.databases.length) });
}

/** The password never leaves this host: the server reads it from the file as the client that it then is. */
async function admitSelf(
  context: StepContext,
  means: Means,
  role: string,
): Promise<Readonly<Record<"host" | "port", string>>> {
  const [row] = await ask(context, means, (sql) =>
    sql.rows(
      `SELECT split_part(current_setting('unix_socket_directories'), ',', 1) AS host, current_setting('port') AS port`,
    ),
  );
  const { host, port } = row ?? {};
  if (!host || !port) return stop("postgresql.no-socket", {});
  const owner = await serverAccount(context, means);
  const password = await keepPassword(context.host, means, { role, owner });
  must(await readsFile(context, means, passfileOf(means, role)));
  await ask(
    context,
    means,
    async (sql) => {
      const there = await sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role]);
      await sql.run(
        `${there.length === 0 ? "CREATE" : "ALTER"} ROLE ${quoted(role)} LOGIN SUPERUSER PASSWORD ${literal(scramVerifier(password))}`,
      );
    },
    { hasSecrets: true },
  );
  await addHbaLine(context, means, { role, from: ownSocket });
  return { host: host.trim(), port };
}

async function drop(context: StepContext, means: Means, given: Given): Promise<StepResult> {
  const rollout = ownerOf(context, given);
  const name = publicationName(rollout, given.direction);
  for (const database of await databasesThere(context, means, given.databases)) {
    const mark = markFor(context, rollout, database);
    const known = await mark.read();
    await ask(
      context,
      means,
      async (sql) => {
        if ((await namesOf(sql, "node")).includes(name))
          await sql.rows("SELECT pglogical.drop_node($1, true)", [name]);
        if (known?.extensionWasThere === false)
          await patiently(context, () => sql.run("DROP EXTENSION IF EXISTS pglogical"));
        if (known?.schemaWasThere === false) await sql.run("DROP SCHEMA IF EXISTS pglogical");
      },
      { database },
    );
    await mark.remove();
  }
  await dismissSelf(context, means, selfRoleName(rollout, given.direction));
  return done({ node: name });
}

async function dismissSelf(context: StepContext, means: Means, role: string): Promise<void> {
  await removeHbaLine(context, means, role);
  await ask(context, means, async (sql) => {
    if ((await sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role])).length === 0) return;
    await sql.run(`ALTER ROLE ${quoted(role)} NOLOGIN`);
    await endSessions(sql, role);
    await sql.run(`DROP ROLE ${quoted(role)}`);
  });
  await removePassword(context.host, means, role);
}

async function endSessions(sql: Sql, role: string): Promise<void> {
  await sql.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [role]);
}

async function left(context: StepContext, means: Means, given: Given): Promise<readonly string[]> {
  const rollout = ownerOf(context, given);
  const role = selfRoleName(rollout, given.direction);
  const roles = await ask(context, means, (sql) =>
    sql.rows("SELECT FROM pg_roles WHERE rolname = $1", [role]),
  );
  const files = (await passfilesOf(context.host, means)).filter((each) => each === role);
  const marks: string[] = [];
  for (const database of given.databases)
    if ((await markFor(context, rollout, database).read()) !== undefined) marks.push(database);
  return [
    ...(await nodesIn(context, means, given)).present,
    ...marks,
    ...files,
    ...(roles.length > 0 || (await hasHbaLine(context, means, role)) ? [role] : []),
  ];
}
