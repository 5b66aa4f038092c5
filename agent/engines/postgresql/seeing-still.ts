/** The new server's side of a comparison under writes: its snapshot is of the moment in which the other one stands still. */
import { FailureError, failure } from "#proto/common/failure.ts";
import type { StepContext } from "../../verb.ts";
import { must, stop } from "./desk.ts";
import { isTold, type Moment, meetMs, nameOf, pollMs, tell, tokenOf } from "./meeting.ts";
import type { Sql } from "./sql.ts";

/**
 * Begins this side's snapshot in the moment in which the other one stands still. Stops by `postgresql.contents-not-met` where the other
 * one tries no more.
 */
export async function seeStill(context: StepContext, sql: Sql, database: string): Promise<Moment> {
  for (let attempt = 1; !context.signal.aborted; ) {
    // asked for first: whatever was told before it is there then
    const isOver = await isTold(context, nameOf(context, "over", database));
    const still = must(await context.parcels.find(nameOf(context, "still", database, { attempt })));
    if (await isTold(context, nameOf(context, "given-up", database, { attempt }))) {
      attempt += 1;
      continue;
    }
    const moment = still === undefined ? undefined : { attempt, token: tokenOf(still.digest) };
    if (moment !== undefined && (await agreedOn(context, sql, { database, moment }))) return moment;
    if (moment !== undefined) {
      attempt += 1;
      continue;
    }
    if (isOver)
      return stop("postgresql.contents-not-met", {
        database,
        tries: String(attempt - 1),
        cause: "the old server's side has ended",
      });
    await context.host.clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  throw new FailureError(failure("postgresql.parcel-missing", { what: database }));
}

/** Only the one who holds the locks knows that both have seen the same; a snapshot of an agent that was ended since is gone. */
async function agreedOn(
  context: StepContext,
  sql: Sql,
  { database, moment }: { readonly database: string; readonly moment: Moment },
): Promise<boolean> {
  const seen = nameOf(context, "seen", database, moment);
  if (await isTold(context, seen)) return false;
  await sql.run("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  await sql.rows("SELECT 1 FROM pg_class LIMIT 1");
  await tell(context, seen, "");
  if (await isAgreed(context, database, moment)) return true;
  await sql.run("ROLLBACK");
  return false;
}

async function isAgreed(context: StepContext, database: string, moment: Moment): Promise<boolean> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + meetMs; clock.monotonicMs() < endMs; ) {
    if (context.signal.aborted) break;
    if (await isTold(context, nameOf(context, "agreed", database, moment))) return true;
    if (await isTold(context, nameOf(context, "given-up", database, { attempt: moment.attempt })))
      return false;
    if (await isTold(context, nameOf(context, "over", database))) return false;
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  return stop("postgresql.parcel-missing", { what: `the old server's word on ${database}` });
}

/** Whether it came before the old server's side ended, or the time. */
export async function heardOrOver(
  context: StepContext,
  { name, database, limitMs }: { readonly name: string; readonly database: string; readonly limitMs: number },
): Promise<boolean> {
  const { clock } = context.host;
  for (const endMs = clock.monotonicMs() + limitMs; !context.signal.aborted; ) {
    // asked for first: whatever was told before it is there then
    const isOver = await isTold(context, nameOf(context, "over", database));
    if (await isTold(context, name)) return true;
    if (isOver || clock.monotonicMs() >= endMs) return false;
    await clock.sleep(pollMs, context.signal).catch(() => undefined);
  }
  return false;
}
