/**
 * Of tables that came while rows are copied: their indexes, foreign keys and triggers wait with those of all others. An index of a
 * partition becomes part of one that its table has not before that.
 */
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../../host/file-runner.ts";
import { markFolder, markOf } from "../../../host/marks.ts";
import type { StepContext } from "../../../verb.ts";
import { slug } from "../../databases.ts";
import { ask } from "../desk.ts";
import { type Part, scriptOf } from "../schema-script.ts";
import type { Means } from "../settings.ts";
import type { Sql } from "../sql.ts";
import { withoutThose } from "../table-of-contents.ts";

const partsSchema = z.object({
  parts: z.array(z.object({ tables: z.array(z.string()), number: z.number() })),
});
type LatePart = z.infer<typeof partsSchema>["parts"][number];

function markFor(context: StepContext, database: string) {
  return markOf(context, `late-parts-${slug(database)}`, partsSchema);
}

function pathsOf(context: StepContext, database: string, { number }: LatePart): Pick<Part, "file" | "list"> {
  const base = join(markFolder(context), "late", `${slug(database)}-${number}`);
  return { file: `${base}.dump`, list: `${base}.after` };
}

/** Before the tables themselves are made. `list`: what of the dump comes later. */
export async function keepPart(
  context: StepContext,
  means: Means,
  database: string,
  {
    tables,
    file,
    list,
  }: { readonly tables: readonly string[]; readonly file: string; readonly list: string },
): Promise<void> {
  const before = await partsOf(context, means, database);
  await makeFolderDurably(join(markFolder(context), "late"));
  const part = { tables: [...tables], number: Math.max(0, ...before.map(({ number }) => number)) + 1 };
  const paths = pathsOf(context, database, part);
  await copyFile(file, paths.file);
  await writeFile(paths.list, list);
  await markFor(context, database).write({ parts: [...before, part] });
}

/** Of those whose tables were made: all of one dump were, or none. */
async function partsOf(context: StepContext, means: Means, database: string): Promise<readonly LatePart[]> {
  const parts = (await markFor(context, database).read())?.parts ?? [];
  const made: LatePart[] = [];
  for (const part of parts) {
    const names = await ask(
      context,
      means,
      (sql) =>
        sql.rows("SELECT FROM unnest($1::text[]) name WHERE to_regclass(name) IS NOT NULL LIMIT 1", [
          arrayOf(part.tables),
        ]),
      { database },
    );
    if (names.length > 0) made.push(part);
  }
  return made;
}

function arrayOf(words: readonly string[]): string {
  return `{${words.map((word) => `"${word.replaceAll(/(["\\])/g, "\\$1")}"`).join(",")}}`;
}

/** Paths of scripts, in the order in which they are played: `first`, then what was kept; nothing that is there already. */
export async function lateScripts(
  context: StepContext,
  means: Means,
  database: string,
  first: Pick<Part, "file" | "list">,
): Promise<readonly string[]> {
  const there = await ask(context, means, objectsIn, { database });
  const scripts: string[] = [];
  const kept = await partsOf(context, means, database);
  for (const { file, list } of [first, ...kept.map((part) => pathsOf(context, database, part))]) {
    const left = `${list}.left`;
    await writeFile(left, withoutThose(await readFile(list, "utf8"), there));
    scripts.push(await scriptOf(context, means, { file, list: left, create: false }));
  }
  return scripts;
}

/** Indexes and constraints, as the contents of a dump name them. A key that was lost has been made again by then. */
async function objectsIn(sql: Sql): Promise<readonly string[]> {
  const rows = await sql.rows(`
    SELECT concat_ws(' ', 'INDEX', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS words
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE i.indisvalid
    UNION ALL
    SELECT concat_ws(' ', CASE k.contype WHEN 'f' THEN 'FK CONSTRAINT' ELSE 'CHECK CONSTRAINT' END,
                     n.nspname, c.relname, k.conname, pg_get_userbyid(c.relowner))
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE k.contype IN ('f', 'c')`);
  return rows.map(({ words }) => words ?? "");
}
