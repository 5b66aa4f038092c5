/**
 * The fence of writes: every database's connection limit is 0, transactions are read-only by default, and all sessions of clients are
 * ended, and workers of extensions that are in a transaction. Then it is looked at from outside, by a session that has none of our own
 * words. What stood before is written down first and put back by the undo. Superusers that begin a session later and ask for writes
 * are not held by it.
 */
import { z } from "zod";
import { markOf } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { databases, literal, quoted } from "../databases.ts";
import { rollout } from "../rollout-arg.ts";
import { ask, of, ownerOf, probeOf, resultOf, stop } from "./desk.ts";
import { clientCount, ownSessions, readOnlyInFiles, takesClients } from "./facts.ts";
import { isOwn } from "./names.ts";
import { isClosed, openAnyway, standing } from "./opening.ts";
import { isAtWork, isWriting } from "./processes.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

const before = z.object({
  /** By database, as pg_database has it: -1 is no limit. */
  limits: z.record(z.string(), z.string()),
  /** As postgresql.auto.conf has it; null where it says nothing. */
  readOnly: z.string().nullable(),
  /** By database: the row of pg_database as the fence has left it. */
  rows: z.record(z.string(), z.string()).optional(),
});

const pauseMs = 50;

/** `databases`: opened also where nothing tells any more what stood before. */
const ofOpening = z.strictObject({ databases: databases.optional(), of: rollout.optional() });

export function fenceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.fence-writes",
      class: "reversible",
      args: of,
      run: (context, args) => resultOf(() => fence(context, means, ownerOf(context, args))),
      probe: (context, args) =>
        probeOf(async () =>
          // closed by somebody else it would never be opened by us
          (await fenceMark(context, ownerOf(context, args)).read()) === undefined
            ? ["what stood before is not written down"]
            : gaps(context, means),
        ),
    }),
    verb({
      name: "postgresql.unfence-writes",
      class: "reversible",
      args: ofOpening,
      run: (context, args) =>
        resultOf(async () => {
          const owner = ownerOf(context, args);
          // what the note says of before is put back as it was, also where that was closed
          const isNoted = (await fenceMark(context, owner).read()) !== undefined;
          return !isNoted && (await isClosed(context, means, args.databases))
            ? openAnyway(context, means, args.databases ?? [])
            : unfence(context, means, owner);
        }),
      probe: (context, args) =>
        probeOf(async () =>
          (await fenceMark(context, ownerOf(context, args)).read()) === undefined &&
          !(await isClosed(context, means, args.databases))
            ? []
            : ["fence"],
        ),
    }),
    verb({
      name: "postgresql.prove-fenced",
      class: "observe",
      args: of,
      run: (context) => resultOf(() => proveFenced(context, means)),
    }),
  ];
}

export function fenceMark({ host }: Pick<StepContext, "host">, rollout: string) {
  return markOf({ host, rollout }, "fence", before);
}

async function fence(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = fenceMark(context, rollout);
  return ask(context, means, async (sql) => {
    const now = await standing(sql);
    const noted = await mark.read();
    if (noted === undefined && now.isReadOnly) stop("postgresql.closed-already");
    const { limits, readOnly } = noted ?? now;
    const known = { readOnly, limits: { ...now.limits, ...limits } };
    await mark.write(known);
    const names = Object.keys(now.limits);
    for (const database of names) await sql.run(`ALTER DATABASE ${quoted(database)} CONNECTION LIMIT 0`);
    await mark.write({ ...known, rows: await databaseRows(sql) });
    await sql.run("ALTER SYSTEM SET default_transaction_read_only = on");
    await sql.rows("SELECT pg_reload_conf()");
    await endSessions(context, means, sql);
    return done({ databases: String(names.length) });
  });
}

/** By database, the transaction that has written its row. */
export async function databaseRows(sql: Sql): Promise<Readonly<Record<string, string>>> {
  const rows = await sql.rows(`SELECT datname, xmin::text AS written FROM pg_database WHERE ${takesClients}`);
  return Object.fromEntries(rows.map((row) => [row["datname"] ?? "", row["written"] ?? ""]));
}

/** Of clients and of extensions, ours excepted. Senders of replication are what all this is done for. */
async function endSessions({ host: { clock }, signal }: StepContext, means: Means, sql: Sql): Promise<void> {
  for (let left = 100; left > 0 && !signal.aborted; left -= 1) {
    const rows = await sql.rows(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE (backend_type = 'client backend' OR ${isAtWork}) AND pid <> pg_backend_pid()
         AND NOT ${ownSessions(means)}`);
    if (rows.length === 0) return;
    await clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

const inTransaction = "background workers in a transaction";

async function whyNotFenced(sql: Sql, means: Means): Promise<readonly string[]> {
  const [row] = await sql.rows(`
    SELECT ${clientCount(means)} AS clients,
           (SELECT count(*)::text FROM pg_prepared_xacts) AS prepared,
           (SELECT count(*)::text FROM pg_stat_activity
             WHERE ${isWriting} AND pid <> pg_backend_pid()) AS writing,
           (SELECT string_agg(backend_type || ' (pid ' || pid || ')', ', ') FROM pg_stat_activity
             WHERE ${isAtWork} AND NOT ${ownSessions(means)}) AS working,
           (SELECT string_agg(datname, ', ') FROM pg_database
             WHERE ${takesClients} AND datconnlimit <> 0) AS open,
           (SELECT string_agg(subname || ' in ' || datname, ', ' ORDER BY subname) FROM pg_subscription
              JOIN pg_database d ON d.oid = subdbid
             WHERE subenabled AND NOT ${isOwn("subname")}) AS subscribed`);
  const [read] = await sql.rows(`SELECT ${readOnlyInFiles} AS on`);
  const counted = (["clients", "prepared", "writing"] as const).flatMap((what) =>
    row?.[what] === "0" ? [] : [`${what}: ${row?.[what]}`],
  );
  const open = row?.["open"] ?? null;
  // neither limits nor read-only hold its worker: rows go on coming from its publisher
  const subscribed = row?.["subscribed"] ?? null;
  const working = row?.["working"] ?? null;
  return [
    ...counted,
    ...(working === null ? [] : [`${inTransaction}: ${working}`]),
    ...(subscribed === null ? [] : [`enabled subscriptions: ${subscribed}`]),
    ...(open === null ? [] : [`open: ${open}`]),
    ...(read?.["on"] === "true" ? [] : ["read-only is off"]),
  ];
}

/** A reload reaches the server's processes one after the other. */
const reloadMs = 2_000;

/** What is still open, by name; the word of a session that begins now counts, not that of a file. */
async function gaps(context: StepContext, means: Means): Promise<readonly string[]> {
  const why = await ask(context, means, (sql) => whyNotFenced(sql, means));
  return why.length > 0 ? why : readOnlyByNow(context, means);
}

async function readOnlyByNow(context: StepContext, means: Means): Promise<readonly string[]> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + reloadMs; ; ) {
    if (!(await takesWrites(context, means))) return [];
    if (clock.monotonicMs() > endMs) return ["a new session may write"];
    await clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
}

/** Whether a session that begins now may write, unless it is told otherwise. */
export async function takesWrites(context: StepContext, means: Means): Promise<boolean> {
  const [row] = await ask(context, means, (sql) => sql.rows("SHOW default_transaction_read_only"), {
    isFenced: true,
  });
  return row?.["default_transaction_read_only"] !== "on";
}

async function proveFenced(context: StepContext, means: Means): Promise<StepResult> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + reloadMs; ; ) {
    const why = await gaps(context, means);
    if (why.length === 0) return done({ clients: "0" });
    // a launcher looks up its jobs for a moment, again and again
    const mayPass = why.every((each) => each.startsWith(inTransaction));
    if (!mayPass || clock.monotonicMs() > endMs)
      stop("postgresql.fence-not-standing", { found: why.join("; ") });
    await clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
}

/** As it was before this rollout closed it; nothing to do where it never did. */
export async function unfence(context: StepContext, means: Means, rollout: string): Promise<StepResult> {
  const mark = fenceMark(context, rollout);
  const known = await mark.read();
  if (known === undefined) return done({ found: "never fenced by this rollout" });
  return ask(context, means, async (sql) => {
    const there = (await sql.rows("SELECT datname FROM pg_database WHERE datconnlimit >= -1")).map(
      (row) => row["datname"],
    );
    await sql.run(
      known.readOnly === null
        ? "ALTER SYSTEM RESET default_transaction_read_only"
        : `ALTER SYSTEM SET default_transaction_read_only = ${literal(known.readOnly)}`,
    );
    await sql.rows("SELECT pg_reload_conf()");
    for (const [database, limit] of Object.entries(known.limits))
      if (there.includes(database))
        await sql.run(`ALTER DATABASE ${quoted(database)} CONNECTION LIMIT ${Number(limit)}`);
    await mark.remove();
    return done({ databases: String(Object.keys(known.limits).length) });
  });
}
