/**
 * What somebody has written on the server that is left, behind its fence and after its stream was drained: the slots by which it was
 * read from still keep it. They are looked into without moving them. What the other direction's subscription has brought is no find.
 */
import { z } from "zod";
import { type Failure, FailureError } from "#proto/common/failure.ts";
import { markOf } from "../../host/marks.ts";
import { done, failed } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { literal, quoted } from "../databases.ts";
import { keptContents } from "./contents-kept.ts";
import { ask, ofDirection, ownerOf, resultOf, stop } from "./desk.ts";
import { drainedMark } from "./draining.ts";
import { fewAtOnce } from "./each-database.ts";
import { publicationName, subscriptionName } from "./names.ts";
import { changesBeside, placeOf, type RowsChanged } from "./pgoutput.ts";
import { sequencesUnlike } from "./sequences.ts";
import type { Means } from "./settings.ts";
import { slotsIn } from "./slots.ts";
import type { Sql } from "./sql.ts";

type Given = z.infer<typeof ofDirection>;

/** Messages of one slot; a transaction that begins below it is read to its end. */
const mostMessages = 1_000_000;
const fetchedAtOnce = 10_000;
/** Of what one large transaction may lay down on the server's disk. */
const mostDiskKiB = 1_048_576;
/** Its reader was told to end, and does so within milliseconds. */
const letGoMs = 5_000;
const pollMs = 20;
/** Of the step's time, kept for what follows the last statement. */
const restMs = 1_000;
/** That are named, each. */
const [mostTables, mostDatabases] = [10, 50];

/** Databases whose slots were looked into, and may be gone by the next try: by our own deed. */
const lookedInto = z.object({ databases: z.array(z.string()) });

export function behindFenceVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.prove-unwritten",
      class: "observe",
      args: ofDirection,
      run: (context, given) =>
        resultOf(async () => {
          const { words, told } = await lookBehind(context, means, given);
          const all = [...words, ...(await sequencesMoved(context, means, given))];
          return all.length === 0 ? done(told) : failed("postgresql.written-behind-fence", foundIn(all));
        }),
    }),
    verb({
      name: "postgresql.find-rows-left",
      class: "observe",
      args: ofDirection.extend({ answered: z.string().max(500_000).optional() }),
      run: (context, given) => resultOf(() => findLeft(context, means, given)),
    }),
  ];
}

function foundIn(words: readonly string[]): { readonly found: string } {
  return { found: words.join("; ") };
}

/** Since they were measured: rows that went over after that are on both sides, and the numbers that they took are not. */
async function sequencesMoved(context: StepContext, means: Means, given: Given): Promise<readonly string[]> {
  const measured = { names: given.databases, other: await keptContents(context) };
  const moved = await sequencesUnlike(context, means, measured);
  return moved.slice(0, mostDatabases).map((sequence) => `${sequence} has moved`);
}

/** `answered`: what a person has said to go on from, and nothing else. */
async function findLeft(
  context: StepContext,
  means: Means,
  { answered = "", ...given }: Given & { readonly answered?: string | undefined },
): Promise<StepResult> {
  const mark = markOf(context, `looked-behind-${given.direction}`, lookedInto);
  const before = (await mark.read())?.databases ?? [];
  const dropped =
    before.length === 0 ? [] : await withoutSlot(context, means, { ...given, databases: before });
  const databases = given.databases.filter((database) => !dropped.includes(database));
  const { words, told } = await lookBehind(context, means, { ...given, databases });
  if (words.some((each) => !answered.includes(each)))
    return failed("postgresql.rows-left-behind", foundIn(words));
  await mark.write({ databases: [...given.databases] });
  return done(
    words.length === 0 ? told : { ...told, "told.rows that this server alone has": foundIn(words).found },
  );
}

async function withoutSlot(context: StepContext, means: Means, given: Given): Promise<readonly string[]> {
  const gone: string[] = [];
  for (const database of given.databases)
    if ((await slotsIn(context, means, { ...given, databases: [database] })).length === 0)
      gone.push(database);
  return gone;
}

interface Looked {
  /** A text for each database that was written to, or could not be looked at. */
  readonly words: readonly string[];
  readonly told: Readonly<Record<string, string>>;
}

async function lookBehind(context: StepContext, means: Means, given: Given): Promise<Looked> {
  const { clock } = context.host;
  const beganMs = clock.monotonicMs();
  const found = await fewAtOnce(given.databases, (database) => wordsOn(context, means, given, database));
  const words = given.databases.flatMap((database) => found[database] ?? []);
  const left = words.length - mostDatabases;
  return {
    words: [...words.slice(0, mostDatabases), ...(left > 0 ? [`${left} more databases`] : [])],
    told: {
      databases: String(given.databases.length),
      tookMs: String(Math.round(clock.monotonicMs() - beganMs)),
    },
  };
}

async function wordsOn(
  context: StepContext,
  means: Means,
  given: Given,
  database: string,
): Promise<readonly string[]> {
  const statementMs = Math.max(1, context.deadlineMs - restMs);
  const look = (sql: Sql) => changesIn(context, sql, given);
  try {
    const { changed, isCut } = await ask(context, means, look, { database, statementMs });
    const found = Object.keys(changed.tables).length === 0 ? [] : [inWords(changed)];
    const cut = isCut ? [`not looked at beyond ${mostMessages} changes`] : [];
    const all = [...found, ...cut];
    return all.length === 0 ? [] : [`${database}: ${all.join(", ")}`];
  } catch (error) {
    if (context.signal.aborted || !(error instanceof FailureError) || !isOfSlot(error.failure)) throw error;
    return [`${database}: not looked at (${error.failure.facts["cause"]})`];
  }
}

/** What keeps from looking into this slot, while its server answers. */
function isOfSlot({ code }: Failure): boolean {
  return code === "postgresql.sql-failed";
}

function cannot(database: string, cause: string): never {
  return stop("postgresql.sql-failed", { database, cause });
}

async function changesIn(
  context: StepContext,
  sql: Sql,
  given: Given,
): Promise<{ readonly changed: RowsChanged; readonly isCut: boolean }> {
  const { direction } = given;
  const rollout = ownerOf(context, given);
  const slot = subscriptionName(rollout, direction, sql.database);
  const publication = publicationName(rollout, direction);
  await letGo(context, sql, slot);
  // 18 passes over one that is gone with a warning, and then tells of no table
  const [published] = await sql.rows(allPublished, [publication]);
  if (published === undefined) cannot(sql.database, `publication ${publication} is not as it was made`);
  const other = subscriptionName(rollout, direction === "forward" ? "back" : "forward", sql.database);
  const origins = await sql.rows("SELECT 'pg_' || oid AS name FROM pg_subscription WHERE subname = $1", [
    other,
  ]);
  const drained = (await drainedMark(context, direction).read())?.[sql.database];
  const changes = changesBeside(
    new Set(origins.map(({ name }) => name ?? "")),
    drained === undefined ? 0n : placeOf(drained),
  );
  await sql.run(`SET temp_file_limit = ${mostDiskKiB}`);
  await sql.run("BEGIN");
  await sql.run(`DECLARE messages NO SCROLL CURSOR FOR ${messagesOf(slot, publication)}`);
  let count = 0;
  for (;;) {
    const rows = await sql.rows(`FETCH ${fetchedAtOnce} FROM messages`);
    if (rows.length === 0) break;
    count += rows.length;
    for (const { message } of rows)
      if (!changes.take(Buffer.from(message ?? "", "hex")))
        cannot(sql.database, `slot ${slot} gives what nobody can read`);
  }
  await sql.run("COMMIT");
  return { changed: changes.found(), isCut: count >= mostMessages };
}

/** 10 knows no TRUNCATE. */
const allPublished = `
  SELECT FROM pg_publication p
   WHERE pubname = $1 AND puballtables AND pubinsert AND pubupdate AND pubdelete
     AND coalesce((to_jsonb(p) ->> 'pubtruncate')::boolean, true)`;

/** Of a change the row itself is not needed, and may be large. */
function messagesOf(slot: string, publication: string): string {
  return `
    SELECT encode(substring(data FOR CASE WHEN substring(data FOR 1) IN ('I', 'U', 'D') THEN 5 ELSE octet_length(data) END), 'hex') AS message
      FROM pg_logical_slot_peek_binary_changes(${literal(slot)}, NULL, ${mostMessages},
             'proto_version', '1', 'publication_names', ${literal(quoted(publication))})`;
}

/** The subscription was disabled by the other side; its sender ends by itself. */
async function letGo({ host: { clock }, signal }: StepContext, sql: Sql, slot: string): Promise<void> {
  for (const endMs = clock.monotonicMs() + letGoMs; ; ) {
    const [row] = await sql.rows(
      "SELECT active_pid::text AS pid FROM pg_replication_slots WHERE slot_name = $1",
      [slot],
    );
    if (row === undefined) cannot(sql.database, `slot ${slot} is gone`);
    if (row?.["pid"] === null) return;
    if (clock.monotonicMs() > endMs)
      cannot(sql.database, `slot ${slot} is in use by process ${row?.["pid"]}`);
    await clock.sleep(pollMs, signal).catch(() => undefined);
  }
}

function inWords({ tables, firstAtMs = 0 }: RowsChanged): string {
  const all = Object.entries(tables);
  const left = all.slice(mostTables).map(([, deeds]) => deeds);
  const some = all.slice(0, mostTables).map(([table, deeds]) => `${table} (${countsOf([deeds])})`);
  // with their counts: what comes after a person's word makes another text
  const more = left.length === 0 ? [] : [`${left.length} more tables (${countsOf(left)})`];
  return `${[...some, ...more].join(", ")}, since ${new Date(firstAtMs).toISOString()}`;
}

function countsOf(all: readonly RowsChanged["tables"][string][]): string {
  const sums: Partial<Record<string, number>> = {};
  for (const deeds of all)
    for (const [deed, count] of Object.entries(deeds)) sums[deed] = (sums[deed] ?? 0) + count;
  return Object.entries(sums)
    .map(([deed, count]) => `${count} ${deed}`)
    .join(", ");
}
