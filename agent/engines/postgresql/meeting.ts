/**
 * Both sides at one moment, while applications write. The old server's tables are locked against writes (SHARE, within limits); a mark in
 * the WAL is awaited on its slot; both sides begin a snapshot; the locks go. The two agents meet over the coordinator, by files.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Failure, FailureError, failure } from "#proto/common/failure.ts";
import { makeFolderDurably } from "../../host/file-runner.ts";
import { markFolder } from "../../host/marks.ts";
import type { StepContext } from "../../verb.ts";
import { slug } from "../databases.ts";
import { tablesBySize } from "./content.ts";
import { ask, must, stop } from "./desk.ts";
import { markWal } from "./draining.ts";
import { subscriptionName } from "./names.ts";
import type { Means } from "./settings.ts";
import { slotsIn } from "./slots.ts";
import type { Sql } from "./sql.ts";

export const tries = 5;
/** Of one try: how long each lock is asked for, and how long all of it may take while one is held. */
const lockMs = 1_000;
const heldMs = 5_000;
const pollMs = 50;
export const meetMs = 120_000;

/** What one side says to the other about a database; `seen` of the new server, the others of the old one. */
type Word = "still" | "seen" | "agreed" | "hashes" | "given-up";

/** Another stage, and a retry of this one, speak of other files than the one before. */
export function nameOf(context: StepContext, word: Word, database: string, attempt: number): string {
  return `verify-${slug(context.stage)}-${word}-${context.attempt}-${attempt}-${slug(database)}`;
}

export async function tell(
  context: StepContext,
  name: string,
  text: string,
  until?: AbortSignal,
): Promise<void> {
  const folder = join(markFolder(context), "verify");
  await makeFolderDurably(folder);
  const file = join(folder, name);
  await writeFile(file, text);
  must(await context.parcels.send(name, file, until));
}

export async function heard(
  context: StepContext,
  name: string,
  limitMs: number,
  until: AbortSignal = context.signal,
): Promise<boolean> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + limitMs; !until.aborted; ) {
    if (must(await context.parcels.find(name, until)) !== undefined) return true;
    if (clock.monotonicMs() >= endMs) return false;
    await clock.sleep(pollMs, until).catch(() => undefined);
  }
  return false;
}

/** The try in which both sides have begun their snapshots; undefined where the locks were not to be had. */
export async function standStill(
  context: StepContext,
  means: Means,
  { database, reader }: { readonly database: string; readonly reader: Sql },
): Promise<number | undefined> {
  let why: Failure | undefined;
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    try {
      const met = await ask(
        context,
        means,
        (sql) => meet(context, means, { database, reader, locker: sql, attempt }),
        {
          database,
          statementMs: heldMs,
          lockMs,
        },
      );
      if (met) return attempt;
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      why = error.failure;
    }
    await reader.run("ROLLBACK");
    await tell(context, nameOf(context, "given-up", database, attempt), why?.code ?? "");
    await context.host.clock.sleep(1_000 * attempt, context.signal).catch(() => undefined);
  }
  return undefined;
}

async function meet(
  context: StepContext,
  means: Means,
  {
    database,
    reader,
    locker,
    attempt,
  }: { readonly database: string; readonly reader: Sql; readonly locker: Sql; readonly attempt: number },
): Promise<boolean> {
  const tables = (await tablesBySize(locker)).map(({ table }) => table);
  const [slot = subscriptionName(context.rollout, "forward", database)] = await slotsIn(context, means, {
    databases: [database],
    direction: "forward",
  });
  const hold = beginHold(context);
  await locker.run("BEGIN");
  try {
    await bound(locker, hold);
    if (tables.length > 0) await locker.run(`LOCK TABLE ONLY ${tables.join(", ONLY ")} IN SHARE MODE`);
    await bound(locker, hold);
    await reader.run(`SET statement_timeout = ${heldMs}`);
    // in the transaction of nobody who holds a lock: its end is what brings it to the disk, and so to the other side
    const lsn = await markWal(reader, "verify");
    if (!(await confirmed(context, locker, { slot, lsn, hold }))) return false;
    await reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await reader.rows("SELECT 1 FROM pg_class LIMIT 1");
    await bound(locker, hold);
    await tell(context, nameOf(context, "still", database, attempt), "", hold.signal);
    const seen = nameOf(context, "seen", database, attempt);
    if (!(await heard(context, seen, hold.leftMs(), hold.signal))) return false;
  } finally {
    hold.end();
    // fails where the server has let go before: then nobody knows that both have seen the same
    await locker.run("ROLLBACK");
  }
  await tell(context, nameOf(context, "agreed", database, attempt), "");
  return true;
}

/** One time for all that is done while the tables are locked; ended by the step's own end too. */
interface Hold {
  readonly signal: AbortSignal;
  /** 1 at least: a server takes 0 for no limit. */
  leftMs(): number;
  end(): void;
}

function beginHold({ host: { clock }, signal }: StepContext): Hold {
  const [limit, endMs] = [new AbortController(), clock.monotonicMs() + heldMs];
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    leftMs: () => Math.max(1, Math.floor(endMs - clock.monotonicMs())),
    end: clock.after(heldMs, () => limit.abort()),
  };
}

/** The server lets go by itself then: this agent may be frozen, or wait for a coordinator that is not there. */
async function bound(locker: Sql, { leftMs }: Hold): Promise<void> {
  const ms = leftMs();
  await locker.run(
    `SET LOCAL statement_timeout = ${ms}; SET LOCAL idle_in_transaction_session_timeout = ${ms}`,
  );
}

async function isAgreed(context: StepContext, database: string, attempt: number): Promise<boolean> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + meetMs; clock.monotonicMs() < endMs; ) {
    if (context.signal.aborted) break;
    const told = async (word: Word) =>
      must(await context.parcels.find(nameOf(context, word, database, attempt))) !== undefined;
    if (await told("agreed")) return true;
    if (await told("given-up")) return false;
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  return stop("postgresql.parcel-missing", { what: `the old server's word on ${database}` });
}

async function confirmed(
  { host: { clock } }: StepContext,
  sql: Sql,
  { slot, lsn, hold }: { readonly slot: string; readonly lsn: string; readonly hold: Hold },
): Promise<boolean> {
  while (!hold.signal.aborted) {
    await bound(sql, hold);
    const [row] = await sql.rows(
      "SELECT (confirmed_flush_lsn >= $2::pg_lsn)::text AS is FROM pg_replication_slots WHERE slot_name = $1",
      [slot, lsn],
    );
    if (row === undefined) stop("postgresql.slot-missing", { slots: slot });
    if (row?.["is"] === "true") return true;
    await clock.sleep(pollMs, hold.signal).catch(() => undefined);
  }
  return false;
}

/** Begins this side's snapshot in the moment in which the other one stands still. */
export async function seeStill(
  context: StepContext,
  sql: Sql,
  database: string,
): Promise<number | undefined> {
  for (let attempt = 1; attempt <= tries; ) {
    const [still, gone] = await Promise.all(
      (["still", "given-up"] as const).map(async (word) =>
        must(await context.parcels.find(nameOf(context, word, database, attempt))),
      ),
    );
    if (gone !== undefined) {
      attempt += 1;
      continue;
    }
    if (still !== undefined) {
      await sql.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
      await sql.rows("SELECT 1 FROM pg_class LIMIT 1");
      await tell(context, nameOf(context, "seen", database, attempt), "");
      // only the one who holds the locks knows that both have seen the same
      if (await isAgreed(context, database, attempt)) return attempt;
      await sql.run("ROLLBACK");
      attempt += 1;
      continue;
    }
    if (context.signal.aborted)
      throw new FailureError(failure("postgresql.parcel-missing", { what: database }));
    await context.host.clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  return undefined;
}
