/** How open a server is: the connection limits of its databases and what new transactions may do, and both opened without a note. */
import { done } from "../../outcome.ts";
import type { StepContext, StepResult } from "../../verb.ts";
import { quoted } from "../databases.ts";
import { ask } from "./desk.ts";
import { readOnlyInFiles, takesClients } from "./facts.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";

/** By database, as pg_database has it: -1 is no limit. `readOnly`: as postgresql.auto.conf has it; null where it says nothing. */
interface Standing {
  readonly limits: Readonly<Record<string, string>>;
  readonly readOnly: string | null;
  /** Of new transactions, by whatever file. */
  readonly isReadOnly: boolean;
}

export async function standing(sql: Sql): Promise<Standing> {
  const rows = await sql.rows(
    `SELECT datname, datconnlimit::text AS limit FROM pg_database WHERE ${takesClients}`,
  );
  const [read] = await sql.rows(`SELECT ${readOnlyInFiles} AS on`);
  const [auto] = await sql.rows(`
    SELECT setting FROM pg_file_settings
     WHERE name = 'default_transaction_read_only' AND sourcefile LIKE '%postgresql.auto.conf'
     ORDER BY seqno DESC LIMIT 1`);
  return {
    limits: Object.fromEntries(rows.map((row) => [row["datname"] ?? "", row["limit"] ?? "-1"])),
    readOnly: auto?.["setting"] ?? null,
    isReadOnly: read?.["on"] === "true",
  };
}

/** Nobody may write, or into none of these; false where none is asked for. One whose own limit was 0 before stays so. */
export async function isClosed(
  context: StepContext,
  means: Means,
  wanted: readonly string[] | undefined,
): Promise<boolean> {
  if (wanted === undefined) return false;
  const { limits, isReadOnly } = await ask(context, means, standing);
  return isReadOnly || wanted.every((name) => limits[name] === undefined || limits[name] === "0");
}

/** The note of what stood before went with the move that had ended here. */
export async function openAnyway(
  context: StepContext,
  means: Means,
  wanted: readonly string[],
): Promise<StepResult> {
  return ask(context, means, async (sql) => {
    const { limits } = await standing(sql);
    const closed = wanted.filter((name) => limits[name] === "0");
    await sql.run("ALTER SYSTEM RESET default_transaction_read_only");
    await sql.rows("SELECT pg_reload_conf()");
    for (const name of closed) await sql.run(`ALTER DATABASE ${quoted(name)} CONNECTION LIMIT -1`);
    return done({ "told.databases without a connection limit, since none is known": closed.join(", ") });
  });
}
