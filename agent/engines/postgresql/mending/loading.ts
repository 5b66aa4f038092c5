/** Tables that came late, from the old server's dump of them: in one transaction, and whole where the schema is finished. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FailureError } from "#proto/common/failure.ts";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder } from "../../../host/marks.ts";
import type { StepContext } from "../../../verb.ts";
import { slug } from "../../databases.ts";
import { client } from "../client-tools.ts";
import { connection } from "../exporting.ts";
import { isSchemaFinished } from "../loading-schema.ts";
import { play, scriptOf, withoutSettings } from "../schema-script.ts";
import type { Means } from "../settings.ts";
import { parted, partitionsLast } from "../table-of-contents.ts";
import { keepPart } from "./late-parts.ts";
import { fetched } from "./parcel.ts";
import { dumpParcel } from "./telling.ts";

/** A foreign key needs a lock that the stream of rows may hold for a moment. */
const tries = 10;
const limits = "SET lock_timeout = '3s';\nSET statement_timeout = '10min';\n";

export async function loadTables(
  context: StepContext,
  means: Means,
  database: string,
  { tables, indexes }: { readonly tables: readonly string[]; readonly indexes: readonly string[] },
): Promise<void> {
  const file = await fetched(context, dumpParcel(database));
  const folder = join(markFolder(context), "late");
  await makeFolderDurably(folder);
  const list = join(folder, `${slug(database)}.list`);
  await client(context, means, "pg_restore", ["-l", "-f", list, file]);
  let wanted = await readFile(list, "utf8");
  if (!(await isSchemaFinished(context, database))) {
    const { before, after } = parted(wanted, indexes);
    await keepPart(context, means, database, { tables, file, list: after });
    wanted = before;
  }
  await writeFile(list, partitionsLast(wanted));
  const script = await scriptOf(context, means, { file, list, create: false });
  // the dump's own head takes every limit away
  const text = withoutSettings(await readFile(script, "utf8"), ["lock_timeout", "statement_timeout"]);
  await writeFile(script, `${limits}${text}`);
  for (let left = tries; ; left -= 1) {
    try {
      return await play(context, means, { scripts: [script], into: connection(database), whole: true });
    } catch (error) {
      const cause = error instanceof FailureError ? (error.failure.facts["cause"] ?? "") : "";
      if (!/lock timeout|deadlock detected/.test(cause) || left <= 1 || context.signal.aborted) throw error;
      await context.host.clock.sleep(1_000, context.signal).catch(() => undefined);
    }
  }
}
