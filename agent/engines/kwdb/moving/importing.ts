/**
 * One database imported into the new cluster. It is dropped and made again only where this agent's own mark says that
 * this rollout has begun it; a database without a mark is somebody else's, and refuses the import.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { type Mark, markOf } from "../../../host/marks.ts";
import { done, failed, failedBy } from "../../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { database, flag, quoted, slug } from "../../databases.ts";
import type { Row } from "../answers.ts";
import type { Means } from "../installation.ts";
import {
  type Desk,
  errorIn,
  listDatabases,
  openJobsOf,
  probed,
  rowInTail,
  statement,
  withDesk,
} from "./desk.ts";
import { filesBelow } from "./manifest.ts";
import { rewriteFolder } from "./meta.ts";
import { manifestSent, receive } from "./receiving.ts";

const imported = z.object({
  attempt: z.number(),
  isWhole: z.boolean(),
  /** sha256 of the manifest of the export that it was made from. */
  from: z.string(),
});
type Imported = z.infer<typeof imported>;

const named = z.strictObject({ database });

export function importVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.receive-export",
      class: "reversible",
      args: named,
      run: (context, args) => withDesk(context, means, (desk) => receiveExport(desk, slug(args.database))),
      // each file is looked at again, and only those that are not right are fetched
      probe: async () => ({ state: "not-done" }),
    }),
    verb({
      name: "kwdb.rewrite-meta",
      class: "reversible",
      args: named,
      run: (context, args) =>
        withDesk(context, means, async (desk) => done(await rewriteFolder(desk.path(slug(args.database))))),
      probe: async () => ({ state: "not-done" }),
    }),
    verb({
      name: "kwdb.import-database",
      class: "reversible",
      args: z.strictObject({ database, privileges: flag }),
      run: (context, args) => withDesk(context, means, (desk) => importDatabase(desk, args)),
      probe: (context, args) => probed(context, means, (desk) => probeImport(desk, args.database)),
    }),
    verb({
      name: "kwdb.drop-imported",
      class: "reversible",
      args: named,
      run: (context, args) => withDesk(context, means, (desk) => dropImported(desk, args.database)),
      probe: (context, args) =>
        probed(context, means, async () =>
          (await importMark(context, args.database).read()) === undefined
            ? { state: "done", outputs: {} }
            : { state: "not-done" },
        ),
    }),
  ];
}

export function importMark(context: StepContext, name: string): Mark<Imported> {
  return markOf(context, `import-${slug(name)}`, imported);
}

async function receiveExport(desk: Desk, what: string): Promise<StepResult> {
  const manifest = await manifestSent(desk, what);
  if (!manifest.ok) return failedBy(manifest.failure);
  const why = await receive(desk, what, manifest.value);
  return why === undefined ? done({ files: String(manifest.value.files.length) }) : failedBy(why);
}

async function probeImport(desk: Desk, name: string): Promise<Probe> {
  const mark = await importMark(desk.context, name).read();
  if (mark === undefined) return { state: "not-done" };
  if (!mark.isWhole) {
    const busy = await whyBusy(desk);
    return busy === undefined ? { state: "not-done" } : { state: "unknown", failure: busy };
  }
  const [all, from] = [await listDatabases(desk), await exportSent(desk, name)];
  if (!all.ok) return { state: "unknown", failure: all.failure };
  if (!from.ok) return { state: "unknown", failure: from.failure };
  return mark.from === from.value && all.value.includes(name)
    ? { state: "done", outputs: {} }
    : { state: "not-done" };
}

/** Which export the old side has sent last. */
async function exportSent({ context }: Desk, name: string): Promise<Outcome<string>> {
  const what = slug(name);
  const found = await context.parcels.find(`manifest/${what}`);
  if (!found.ok) return found;
  return found.value === undefined ? fail("kwdb.export-not-carried", { what }) : succeed(found.value.digest);
}

/** An import goes on when its client has gone. */
async function whyBusy(desk: Desk): Promise<Failure | undefined> {
  const jobs = await openJobsOf(desk, "IMPORT");
  if (!jobs.ok) return jobs.failure;
  return jobs.value.length === 0
    ? undefined
    : failure("kwdb.move-job-runs", { type: "IMPORT", jobs: jobs.value.join(", ") });
}

async function importDatabase(
  desk: Desk,
  { database: name, privileges }: { readonly database: string; readonly privileges: boolean },
): Promise<StepResult> {
  const { context } = desk;
  const mark = importMark(context, name);
  const known = await mark.read();
  const why = known?.attempt === context.attempt ? undefined : await whyNotNow(desk, name, known);
  if (why !== undefined) return failedBy(why);
  const from = await exportSent(desk, name);
  if (!from.ok) return failedBy(from.failure);
  const begun = { attempt: context.attempt, isWhole: false, from: from.value };
  if (known?.attempt !== context.attempt) await mark.write(begun);
  const dropped = await context.tool(statement(desk, `DROP DATABASE IF EXISTS ${quoted(name)} CASCADE`));
  if (dropped.exitCode !== 0)
    return failed("kwdb.import-failed", { database: name, cause: errorIn(dropped.tail) }, dropped.tail);
  const what = slug(name);
  const options = privileges ? " WITH privileges" : "";
  const ran = await context.tool(statement(desk, `IMPORT DATABASE CSV DATA ("${desk.url(what)}")${options}`));
  if (ran.exitCode !== 0)
    return failed("kwdb.import-failed", { database: name, cause: errorIn(ran.tail) }, ran.tail);
  const row = rowInTail(ran.tail, "job_id,status,");
  const rejected = await whyRejected(desk, name, row);
  if (rejected !== undefined) return failedBy(rejected, ran.tail);
  const all = await listDatabases(desk);
  if (!all.ok) return failedBy(all.failure, ran.tail);
  if (!all.value.includes(name))
    return failed("kwdb.import-failed", { database: name, cause: "it is not there" }, ran.tail);
  await mark.write({ ...begun, isWhole: true });
  return done({ database: name, rows: row?.["rows"] ?? "not said" }, ran.tail);
}

async function whyNotNow(
  desk: Desk,
  name: string,
  known: Imported | undefined,
): Promise<Failure | undefined> {
  const busy = await whyBusy(desk);
  if (busy !== undefined) return busy;
  const all = await listDatabases(desk);
  if (!all.ok) return all.failure;
  if (known === undefined && all.value.includes(name))
    return failure("kwdb.database-exists", { database: name });
  const edited = await leftOver(desk.path(slug(name)));
  return edited === undefined ? undefined : failure("kwdb.export-incomplete", edited);
}

/** Nothing is dropped for an import that could only fail. */
async function leftOver(folder: string): Promise<Failure["facts"] | undefined> {
  const files = await filesBelow(folder);
  return files.includes("meta.sql") ? undefined : { what: folder, missing: "meta.sql", folder };
}

/** Rows that the database has refused: by its own count, or by the file that it leaves beside the data. */
async function whyRejected(desk: Desk, name: string, row: Row | undefined): Promise<Failure | undefined> {
  if (row === undefined) return failure("kwdb.import-mute", { database: name });
  const counts = { rejected: row["reject_rows"] ?? "0", abandoned: row["abandon_rows"] ?? "0" };
  const folder = desk.path(slug(name));
  const file = (await filesBelow(folder)).find((path) => /(^|\/)reject/i.test(path));
  const some = Object.values(counts).some((count) => Number(count) > 0);
  if (!some && file === undefined) return undefined;
  const text = file === undefined ? "" : await readFile(join(folder, file), "utf8").catch(() => "");
  const first = text.split("\n").slice(0, 2).join(" ").slice(0, 300);
  return failure("kwdb.rows-rejected", { database: name, ...counts, file: file ?? "none", first });
}

async function dropImported(desk: Desk, name: string): Promise<StepResult> {
  const mark = importMark(desk.context, name);
  if ((await mark.read()) === undefined) return done({ found: "not made by this rollout" });
  const ran = await desk.context.tool(statement(desk, `DROP DATABASE IF EXISTS ${quoted(name)} CASCADE`));
  if (ran.exitCode !== 0)
    return failed("kwdb.not-dropped", { database: name, cause: errorIn(ran.tail) }, ran.tail);
  await mark.remove();
  return done({ dropped: name });
}
