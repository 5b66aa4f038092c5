/** Slots of a move on the server that it reads from: its own by name, and those of tables' copies by who subscribes. */
import type { StepContext } from "../../verb.ts";
import { ask, ownerOf } from "./desk.ts";
import { type Direction, isOf, isSlotOf, isSyncOf } from "./names.ts";
import type { Means } from "./settings.ts";

interface Streams {
  readonly databases: readonly string[];
  readonly direction: Direction;
  readonly of?: string | undefined;
}

/** One for each stream that has one. */
export async function slotsIn(
  context: StepContext,
  means: Means,
  { databases, direction, of }: Streams,
): Promise<readonly string[]> {
  const rollout = ownerOf(context, { of });
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT slot_name AS name, database FROM pg_replication_slots ORDER BY 1"),
  );
  return rows.flatMap(({ name, database }) =>
    name && database && databases.includes(database) && isSlotOf({ rollout, direction, database }, name)
      ? [name]
      : [],
  );
}

interface Whose {
  readonly of?: string | undefined;
  readonly subscriber?: string | undefined;
}

/** Of this move alone: whoever else subscribes here keeps his. */
export async function slotsOf(context: StepContext, means: Means, whose: Whose): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT slot_name AS name FROM pg_replication_slots"),
  );
  return rows.flatMap(({ name }) =>
    name && (isOf(ownerOf(context, whose), name) || isSyncOf(whose.subscriber, name)) ? [name] : [],
  );
}

export async function syncSlotsOf(
  context: Pick<StepContext, "host" | "signal">,
  means: Means,
  subscriber: string | undefined,
): Promise<readonly string[]> {
  const rows = await ask(context, means, (sql) =>
    sql.rows("SELECT slot_name AS name FROM pg_replication_slots ORDER BY 1"),
  );
  return rows.flatMap(({ name }) => (name && isSyncOf(subscriber, name) ? [name] : []));
}

const letGoMs = 10_000;

export async function dropSlot(context: StepContext, means: Means, name: string): Promise<void> {
  const { clock } = context.host;
  await ask(context, means, async (sql) => {
    for (const endMs = clock.monotonicMs() + letGoMs; ; ) {
      const [slot] = await sql.rows(
        "SELECT active_pid::text FROM pg_replication_slots WHERE slot_name = $1",
        [name],
      );
      if (slot === undefined) return;
      const { active_pid: pid } = slot;
      if (pid === null || pid === undefined) {
        await sql.rows("SELECT pg_drop_replication_slot($1)", [name]);
        return;
      }
      if (clock.monotonicMs() > endMs) {
        await sql.rows("SELECT pg_drop_replication_slot($1)", [name]);
        return;
      }
      await sql.rows("SELECT pg_terminate_backend($1::int)", [pid]);
      await clock.sleep(100, context.signal).catch(() => undefined);
    }
  });
}
