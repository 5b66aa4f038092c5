/** The server's own client programs, run as steps: connection by environment, so that no password stands in a list of processes. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { StepContext, ToolRun } from "../../verb.ts";
import { ask, stop } from "./desk.ts";
import { quietWords } from "./quiet-settings.ts";
import type { Means } from "./settings.ts";
import { applicationName } from "./sql.ts";

export type ClientTool = "psql" | "pg_dump" | "pg_dumpall" | "pg_restore";

/** Ends the step where the tool fails. */
export async function client(
  context: StepContext,
  means: Means,
  tool: ClientTool,
  words: readonly string[],
): Promise<ToolRun> {
  const ran = await context.tool({
    argv: [join(means.settings.tools, tool), ...words],
    env: await environment(context, means),
  });
  if (ran.exitCode !== 0) stop("postgresql.tool-failed", { tool, cause: errorIn(ran.tail) });
  return ran;
}

async function environment(context: StepContext, means: Means): Promise<Readonly<Record<string, string>>> {
  const { host, port, user, passwordFile } = means.settings;
  const quiet = await ask(context, means, (sql) => sql.rows(quietWords));
  const words = quiet.map(({ name, value }) => ` -c ${name}=${value}`).join("");
  const env = {
    PGHOST: host.startsWith("/") ? context.host.path(host) : host,
    PGPORT: String(port),
    PGUSER: user,
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: "10",
    // our own fence is no obstacle to us, and the server's log holds nothing of ours
    PGOPTIONS: `-c default_transaction_read_only=off -c log_statement=none -c log_min_duration_statement=-1 -c log_min_error_statement=panic${words}`,
  };
  if (passwordFile === undefined) return env;
  const password = (await readFile(context.host.path(passwordFile), "utf8")).replace(/\r?\n$/, "");
  const folder = join(context.host.stateDir, "postgresql");
  await makeFolderDurably(folder);
  const file = join(folder, "client.pgpass");
  await writeFileDurably(file, `*:*:*:*:${password.replaceAll(/([\\:])/g, "\\$1")}\n`);
  return { ...env, PGPASSFILE: file };
}

/** The lines that tell errors; else the last ones. */
function errorIn(tail: string): string {
  const lines = tail.split("\n").filter((line) => line.trim() !== "");
  const errors = lines.filter((line) => /error:|ERROR:|FATAL:/.test(line));
  return (errors.length > 0 ? errors : lines.slice(-3)).join("; ").slice(0, 800);
}
