/** Files that the server's own account reads: whose they must be, and whether it can, by its own word. */
import { stat } from "node:fs/promises";
import { FailureError, fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { FileOwner } from "../../host/file-runner.ts";
import type { StepContext } from "../../verb.ts";
import { literal } from "../databases.ts";
import { ask } from "./desk.ts";
import type { Means } from "./settings.ts";
import { versionOf } from "./sql.ts";

/** As the server names it. */
export async function dataDirectory(context: StepContext, means: Means): Promise<string> {
  const [row] = await ask(context, means, (sql) => sql.rows("SHOW data_directory"));
  return row?.["data_directory"] ?? "";
}

/** The owner of its data folder: the server starts in no other. */
export async function serverAccount(context: StepContext, means: Means): Promise<FileOwner> {
  const { uid, gid } = await stat(context.host.path(await dataDirectory(context, means)));
  return { uid, gid };
}

/** What the system says of a file: permission denied, no such file, and all the rest. */
const ofFiles = /^(42501|58...)$/;

/** `path`: as the server opens it. Its length is all that is asked. Refused: `postgresql.file-not-read`. */
export async function readsFile(context: StepContext, means: Means, path: string): Promise<Outcome<void>> {
  try {
    await ask(context, means, async (sql) => {
      if ((await versionOf(sql)) >= 110_000) await sql.rows("SELECT length(pg_read_binary_file($1))", [path]);
      // which reads nothing outside of the data folder before 11
      else
        await sql.run(
          `BEGIN; CREATE TEMPORARY TABLE looked (line text); COPY pg_temp.looked FROM ${literal(path)} (DELIMITER E'\\x01'); ROLLBACK`,
        );
    });
    return succeed(undefined);
  } catch (error) {
    const { sqlstate = "", cause = "" } = error instanceof FailureError ? error.failure.facts : {};
    if (!ofFiles.test(sqlstate)) throw error;
    return fail("postgresql.file-not-read", { path, cause });
  }
}
