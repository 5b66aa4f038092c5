/** The old server's side of a comparison under writes: it stands still for a moment, within limits that the server itself keeps. */
import { type Failure, FailureError } from "#proto/common/failure.ts";
import type { StepContext } from "../../verb.ts";
import { tablesBySize } from "./content.ts";
import { ask, stop } from "./desk.ts";
import { markWal } from "./draining.ts";
import { heard, type Moment, nameOf, pollMs, tell, tokenOf } from "./meeting.ts";
import { subscriptionName } from "./names.ts";
import type { Means } from "./settings.ts";
import { slotsIn } from "./slots.ts";
import type { Sql } from "./sql.ts";

/** An application's long transaction is waited for by some minutes of short tries. */
const tries = 20;
const longestPauseMs = 15_000;
/** Of one try: how long each lock is asked for, and how long all of it may take while one is held. */
const lockMs = 1_000;
const heldMs = 5_000;

/** The moment at which both sides have begun their snapshots. Stops by `postgresql.contents-not-met` where there was none. */
export async function standStill(
  context: StepContext,
  means: Means,
  { database, reader }: { readonly database: string; readonly reader: Sql },
): Promise<Moment> {
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
      if (met !== undefined) return met;
    } catch (error) {
      // what is gone does not come back by waiting
      if (!(error instanceof FailureError) || error.failure.code === "postgresql.slot-missing") throw error;
      why = error.failure;
    }
    await reader.run("ROLLBACK");
    await tell(context, nameOf(context, "given-up", database, { attempt }), why?.code ?? "");
    const pauseMs = Math.min(longestPauseMs, 1_000 * attempt);
    await context.host.clock.sleep(pauseMs, context.signal).catch(() => undefined);
  }
  return stop("postgresql.contents-not-met", {
    database,
    tries: String(tries),
    cause: why?.facts["cause"] ?? why?.code ?? "the new server did not see it in time",
  });
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
): Promise<Moment | undefined> {
  const tables = (await tablesBySize(locker)).map(({ table }) => table);
  const [slot = subscriptionName(context.rollout, "forward", database)] = await slotsIn(context, means, {
    databases: [database],
    direction: "forward",
  });
  const hold = beginHold(context);
  let moment: Moment;
  await locker.run("BEGIN");
  try {
    await bound(locker, hold);
    if (tables.length > 0) await locker.run(`LOCK TABLE ONLY ${tables.join(", ONLY ")} IN SHARE MODE`);
    await bound(locker, hold);
    await reader.run(`SET statement_timeout = ${heldMs}`);
    // in the transaction of nobody who holds a lock: its end is what brings it to the disk, and so to the other side
    const lsn = await markWal(reader, "verify");
    if (!(await confirmed(context, locker, { slot, lsn, hold }))) return undefined;
    await reader.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    await reader.rows("SELECT 1 FROM pg_class LIMIT 1");
    await bound(locker, hold);
    const still = nameOf(context, "still", database, { attempt });
    moment = { attempt, token: tokenOf(await tell(context, still, lsn, hold.signal)) };
    const seen = nameOf(context, "seen", database, moment);
    if (!(await heard(context, seen, hold.leftMs(), hold.signal))) return undefined;
  } finally {
    hold.end();
    // fails where the server has let go before: then nobody knows that both have seen the same
    await locker.run("ROLLBACK");
  }
  await tell(context, nameOf(context, "agreed", database, moment), "");
  return moment;
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
