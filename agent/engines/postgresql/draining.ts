/**
 * The end of the stream behind the fence: a mark in the WAL, and the wait until every slot of this rollout has confirmed it. A lag of
 * zero proves nothing while a sender is stopped or a transaction open; this does.
 */
import { z } from "zod";
import { ownPrefix } from "#proto/engines/postgresql-names.ts";
import { markOf } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { ask, inEach, ofDirection, ownerOf, resultOf, stop } from "./desk.ts";
import { type Direction, subscriptionName } from "./names.ts";
import type { Means } from "./settings.ts";
import { slotsIn } from "./slots.ts";
import type { Sql } from "./sql.ts";

const pollMs = 20;

/** By database: what was committed before this place in the WAL has been confirmed by the slot that is read there. */
const drainedTo = z.record(z.string(), z.string());

export function drainVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.drain",
      class: "observe",
      args: ofDirection,
      run: (context, given) => resultOf(() => drain(context, means, given)),
    }),
  ];
}

export async function drain(
  context: StepContext,
  means: Means,
  given: z.infer<typeof ofDirection>,
): Promise<StepResult> {
  const { clock } = context.host;
  const rollout = ownerOf(context, given);
  const names = await slotsIn(context, means, given);
  if (names.length < given.databases.length) {
    const wanted = given.databases.map((database) => subscriptionName(rollout, given.direction, database));
    stop("postgresql.slot-missing", { slots: wanted.filter((name) => !names.includes(name)).join(", ") });
  }
  const beganMs = clock.monotonicMs();
  const marks = await inEach(context, means, given.databases, (sql) => markWal(sql, rollout));
  const late = () => stop("postgresql.not-drained", { databases: given.databases.join(", ") });
  const confirmed = async (sql: Sql): Promise<StepResult> => {
    while (!context.signal.aborted) {
      const slots = await sql.rows(
        `SELECT slot_name AS name, (confirmed_flush_lsn >= (SELECT m FROM unnest($1::pg_lsn[]) AS m ORDER BY m DESC LIMIT 1))::text AS is,
                pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS lag
           FROM pg_replication_slots WHERE slot_name = ANY ($2::text[])`,
        [`{${marks.join(",")}}`, `{${names.join(",")}}`],
      );
      const gone = names.filter((name) => slots.every((slot) => slot["name"] !== name));
      if (gone.length > 0) stop("postgresql.slot-missing", { slots: gone.join(", ") });
      if (slots.every((slot) => slot["is"] === "true")) {
        const drainedMs = Math.round(clock.monotonicMs() - beganMs);
        await noteDrained(context, given, marks);
        return done({ drainedMs: String(drainedMs) });
      }
      await clock.sleep(pollMs, context.signal).catch(() => undefined);
    }
    return late();
  };
  // the end may come while a statement is asked: it is cut then
  return ask(context, means, confirmed).catch((error: unknown) => {
    if (context.signal.aborted) return late();
    throw error;
  });
}

/** What a slot says itself may go back behind it: it is saved at checkpoints only, and a crash takes the rest. */
async function noteDrained(
  context: StepContext,
  { databases, direction }: z.infer<typeof ofDirection>,
  marks: readonly string[],
): Promise<void> {
  const mark = drainedMark(context, direction);
  const now = Object.fromEntries(databases.map((database, index) => [database, marks[index] ?? ""]));
  await mark.write({ ...(await mark.read()), ...now });
}

export function drainedMark(context: StepContext, direction: Direction) {
  return markOf(context, `drained-${direction}`, drainedTo);
}

/**
 * Where the mark stands. As a transaction of its own, whose commit is flushed: one that belongs to none is not before 17, and then
 * waits for whoever writes next, up to 15 s where nobody does.
 */
export async function markWal(sql: Sql, words: string): Promise<string> {
  const [row] = await sql.rows("SELECT pg_logical_emit_message(true, $1, $2)::text AS lsn", [
    ownPrefix,
    words,
  ]);
  return row?.["lsn"] ?? "";
}
