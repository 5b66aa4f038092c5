/** What the watches of a move measure on the server that is read from, and what they do at their limit. */
import type { z } from "zod";
import { done } from "../../outcome.ts";
import { type StepContext, type Verb, verb } from "../../verb.ts";
import { ask, must, of, ofDirection, ownerOf, probeOf, resultOf, subscriber } from "./desk.ts";
import { stopKeeping } from "./patroni/keeping.ts";
import type { Means } from "./settings.ts";
import { dropSlot, slotsIn, slotsOf } from "./slots.ts";
import type { Sql } from "./sql.ts";
import { readWalRoom, walPace } from "./wal-room.ts";

export function watchingVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.wal-disk-percent",
      class: "observe",
      args: of,
      run: (context) =>
        resultOf(async () => {
          const { host } = context;
          const room = await ask(context, means, (sql) => readWalRoom(host, sql, walPace(host.clock)));
          return done({ value: String(must(room).usedPercent) });
        }),
    }),
    verb({
      name: "postgresql.slot-room-percent",
      class: "observe",
      args: ofDirection,
      run: (context, given) =>
        resultOf(async () => done({ value: String(await fullest(context, means, given)) })),
    }),
    verb({
      name: "postgresql.give-up-replication",
      class: "reversible",
      args: of.extend({ subscriber }),
      run: (context, args) =>
        resultOf(async () => {
          const names = await slotsOf(context, means, args);
          // the server is saved whether Patroni can be told or not
          const untold = await stopKeeping(context, means, ownerOf(context, args)).then(
            () => undefined,
            (error: unknown) => error,
          );
          for (const name of names) await dropSlot(context, means, name);
          if (untold !== undefined) throw untold;
          return done({ slots: names.join(", ") });
        }),
      probe: (context, args) => probeOf(() => slotsOf(context, means, args)),
    }),
  ];
}

/** Of the WAL that may be kept for a slot, in percent, the fullest; 100 where one is lost or gone. 0: no limit is set. */
async function fullest(
  context: StepContext,
  means: Means,
  given: z.infer<typeof ofDirection>,
): Promise<number> {
  const names = await slotsIn(context, means, given);
  if (names.length < given.databases.length) return 100;
  const used = await ask(context, means, usedBySlot);
  return Math.max(...names.map((name) => used[name] ?? 100));
}

async function usedBySlot(sql: Sql): Promise<Readonly<Record<string, number>>> {
  const [limit] = await sql.rows("SELECT setting FROM pg_settings WHERE name = 'max_slot_wal_keep_size'");
  if (limit === undefined) {
    const rows = await sql.rows("SELECT slot_name AS name FROM pg_replication_slots");
    return Object.fromEntries(rows.map(({ name }) => [name, 0]));
  }
  const rows = await sql.rows(`
    SELECT slot_name AS name, CASE WHEN wal_status = 'lost' THEN 100 WHEN safe_wal_size IS NULL THEN 0
             ELSE least(100, greatest(0, 100 - 100 * safe_wal_size / (1048576.0 * current_setting.mb))) END::text AS used
      FROM pg_replication_slots,
           (SELECT setting::numeric AS mb FROM pg_settings WHERE name = 'max_slot_wal_keep_size') AS current_setting`);
  return Object.fromEntries(rows.map(({ name, used }) => [name, Number(used)]));
}
