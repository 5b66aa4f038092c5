/**
 * One database, or the users, or the cluster settings, exported into this node's own folder of the rollout. A half-made
 * export is removed and made again; one that was made whole has a manifest, and is left as it is.
 */
import { z } from "zod";
import { type Failure, failure } from "#proto/common/failure.ts";
import { type Mark, markOf } from "../../../host/marks.ts";
import { done, failed, failedBy } from "../../../outcome.ts";
import { type Probe, type StepContext, type StepResult, type Verb, verb } from "../../../verb.ts";
import { database, flag, quoted, slug } from "../../databases.ts";
import type { Means } from "../installation.ts";
import { type Desk, errorIn, openDesk, openJobsOf, statement } from "./desk.ts";
import { whyNoRoomFor } from "./export-room.ts";
import { fenceOf } from "./fence.ts";
import { bytesOf, firstDifference, type Manifest, manifestOfFolder, manifestSchema } from "./manifest.ts";

const exported = z.object({
  /** Which try has begun it. */
  attempt: z.number(),
  /** Behind which fence of writes; of another one it may be stale. */
  fence: z.number(),
  manifest: manifestSchema.optional(),
});
type Exported = z.infer<typeof exported>;

interface Export {
  /** The part's folder below the rollout's, and the name of its mark and of its parcel. */
  readonly what: string;
  readonly sql: (url: string) => string;
  /** Without it nothing was exported. */
  readonly file: string;
}

const databaseArgs = z.strictObject({ database, privileges: flag });
const kind = z.enum(["users", "settings"]);

const accounts: Readonly<Record<z.infer<typeof kind>, Export>> = {
  users: { what: "users", sql: (url) => `EXPORT USERS TO SQL "${url}"`, file: "users.sql" },
  settings: {
    what: "settings",
    sql: (url) => `EXPORT CLUSTER SETTING TO SQL "${url}"`,
    file: "clustersetting.sql",
  },
};

function exportOf({ database: name, privileges }: z.infer<typeof databaseArgs>): Export {
  const options = privileges ? " WITH privileges" : "";
  return {
    what: slug(name),
    sql: (url) => `EXPORT INTO CSV "${url}" FROM DATABASE ${quoted(name)}${options}`,
    file: "meta.sql",
  };
}

export function exportVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "kwdb.export-database",
      class: "reversible",
      args: databaseArgs,
      run: (context, args) => make(context, means, exportOf(args)),
      probe: (context, args) => probe(context, means, exportOf(args)),
    }),
    verb({
      name: "kwdb.export-accounts",
      class: "reversible",
      args: z.strictObject({ kind }),
      run: (context, args) => make(context, means, accounts[args.kind]),
      probe: (context, args) => probe(context, means, accounts[args.kind]),
    }),
    verb({
      name: "kwdb.send-export",
      class: "observe",
      args: z.strictObject({ database: database.optional(), kind: kind.optional() }),
      run: (context, args) => send(context, means, args.kind ?? slug(args.database ?? "")),
    }),
  ];
}

function exportMark(context: StepContext, what: string): Mark<Exported> {
  return markOf(context, `export-${what}`, exported);
}

async function probe(context: StepContext, means: Means, { what }: Export): Promise<Probe> {
  const desk = await openDesk(context, means);
  if (!desk.ok) return { state: "unknown", failure: desk.failure };
  const mark = await exportMark(context, what).read();
  if (mark?.manifest !== undefined)
    return mark.fence === (await fenceOf(context)) &&
      (await firstDifference(desk.value.path(what), mark.manifest)) === undefined
      ? { state: "done", outputs: told(mark.manifest) }
      : { state: "not-done" };
  const busy = mark === undefined ? undefined : await whyBusy(desk.value);
  return busy === undefined ? { state: "not-done" } : { state: "unknown", failure: busy };
}

/** An export that a lost client has begun may still be writing into the folder. */
async function whyBusy(desk: Desk): Promise<Failure | undefined> {
  const jobs = await openJobsOf(desk, "EXPORT");
  if (!jobs.ok) return jobs.failure;
  return jobs.value.length === 0
    ? undefined
    : failure("kwdb.move-job-runs", { type: "EXPORT", jobs: jobs.value.join(", ") });
}

async function make(context: StepContext, means: Means, what: Export): Promise<StepResult> {
  const opened = await openDesk(context, means);
  if (!opened.ok) return failedBy(opened.failure);
  const desk = opened.value;
  const mark = exportMark(context, what.what);
  const [known, fence] = [await mark.read(), await fenceOf(context)];
  // an agent that was started anew in mid export meets its own job
  const why = known?.attempt === context.attempt ? undefined : await whyNotNow(desk);
  if (why !== undefined) return failedBy(why);
  if (known?.attempt !== context.attempt) await mark.write({ attempt: context.attempt, fence });
  const folder = desk.path(what.what);
  // both as tools: what was done of them is known again after a restart, and not done twice
  const removed = await context.tool({ argv: ["rm", "-rf", "--", folder] });
  if (removed.exitCode !== 0)
    return failed("kwdb.move-not-removed", { folder, cause: errorIn(removed.tail) }, removed.tail);
  const ran = await context.tool(statement(desk, what.sql(desk.url(what.what))));
  if (ran.exitCode !== 0)
    return failed("kwdb.export-failed", { what: what.what, cause: errorIn(ran.tail) }, ran.tail);
  const manifest = await manifestOfFolder(folder);
  if (!manifest.files.some(({ path }) => path === what.file))
    return failed("kwdb.export-incomplete", { what: what.what, missing: what.file, folder }, ran.tail);
  await mark.write({ attempt: context.attempt, fence, manifest });
  return done(told(manifest), ran.tail);
}

async function whyNotNow(desk: Desk): Promise<Failure | undefined> {
  return (await whyBusy(desk)) ?? (await whyNoRoomFor(desk));
}

async function send(context: StepContext, means: Means, what: string): Promise<StepResult> {
  const desk = await openDesk(context, means);
  if (!desk.ok) return failedBy(desk.failure);
  const mark = exportMark(context, what);
  const manifest = (await mark.read())?.manifest;
  if (manifest === undefined) return failed("kwdb.export-not-made", { what });
  const folder = desk.value.path(what);
  let sent = 0;
  for (const { path, sha256, bytes } of manifest.files) {
    const digest = await context.parcels.send(`file/${sha256}`, `${folder}/${path}`);
    if (!digest.ok) return failedBy(digest.failure);
    if (digest.value !== sha256) return failed("kwdb.export-changed", { what, file: path });
    sent += bytes;
    context.progress({ what, sentBytes: String(sent), ofBytes: String(bytesOf(manifest)) });
  }
  const list = markOf(context, `manifest-${what}`, manifestSchema);
  await list.write(manifest);
  const digest = await context.parcels.send(`manifest/${what}`, list.file);
  return digest.ok ? done(told(manifest)) : failedBy(digest.failure);
}

function told(manifest: Manifest) {
  return { files: String(manifest.files.length), bytes: String(bytesOf(manifest)) };
}
