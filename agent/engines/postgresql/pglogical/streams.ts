/** A subscription of pglogical's in its database: how it stands, and how it is paused until nothing of it works any more. */
import type { StepContext } from "../../../verb.ts";
import { stop } from "../desk.ts";
import type { Sql } from "../sql.ts";
import { namesOf } from "./databases.ts";

const pollMs = 50;

export async function isStream(sql: Sql, name: string): Promise<boolean> {
  return (await namesOf(sql, "subscription")).includes(name);
}

export interface Standing {
  /** replicating, initializing, disabled, down, unknown. */
  readonly status: string;
  /** Of its first synchronisation: i, s, d, c, w, u, y, r. */
  readonly copied: string;
  readonly isEnabled: boolean;
}

export async function standingOf(sql: Sql, name: string): Promise<Standing | undefined> {
  if (!(await isStream(sql, name))) return undefined;
  const [row] = await sql.rows(
    `SELECT (SELECT status FROM pglogical.show_subscription_status($1)) AS status, sub_enabled::text AS enabled,
            (SELECT sync_status::text FROM pglogical.local_sync_status
              WHERE sync_subid = sub_id AND sync_nspname IS NULL) AS copied
       FROM pglogical.subscription WHERE sub_name = $1`,
    [name],
  );
  return {
    status: row?.["status"] ?? "unknown",
    copied: row?.["copied"] ?? "",
    isEnabled: row?.["enabled"] === "true",
  };
}

/** Ends with the step's own deadline. */
export async function until(
  { host: { clock }, signal }: StepContext,
  sql: Sql,
  { name, is }: { readonly name: string; readonly is: (standing: Standing) => boolean },
): Promise<void> {
  let last: Standing | undefined;
  while (!signal.aborted) {
    last = await standingOf(sql, name);
    if (last === undefined) stop("postgresql.subscription-missing", { node: "", database: sql.database });
    if (last !== undefined && is(last)) return;
    await clock.sleep(pollMs, signal).catch(() => undefined);
  }
  stop("postgresql.subscription-not-so", { subscription: name, status: last?.status ?? "unknown" });
}

/** Its worker is told to end by this, and has ended when this returns. */
export async function pause(context: StepContext, sql: Sql, name: string): Promise<void> {
  await sql.rows("SELECT pglogical.alter_subscription_disable($1, true)", [name]);
  await until(context, sql, { name, is: ({ status }) => status === "disabled" });
}

export async function resume(sql: Sql, name: string): Promise<void> {
  await sql.rows("SELECT pglogical.alter_subscription_enable($1, true)", [name]);
}
