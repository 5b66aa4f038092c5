/** A database's schema on the new server: before the copy what it needs, after it all that would only slow it down. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { makeFolderDurably } from "../../host/file-runner.ts";
import { markFolder, markOf } from "../../host/marks.ts";
import { done } from "../../outcome.ts";
import { type StepContext, type StepResult, type Verb, verb } from "../../verb.ts";
import { database, quoted, slug } from "../databases.ts";
import { rollout } from "../rollout-arg.ts";
import { client } from "./client-tools.ts";
import { ask, ownerOf, probeOf, resultOf, stop } from "./desk.ts";
import { connection } from "./exporting.ts";
import { emptyExtensionTables, mustHaveNone } from "./extension-tables.ts";
import { takesWrites } from "./fence.ts";
import { adoptIdentities } from "./identities.ts";
import { lateScripts } from "./mending/late-parts.ts";
import { fetched } from "./mending/parcel.ts";
import { play, scriptOf } from "./schema-script.ts";
import type { Means } from "./settings.ts";
import type { Sql } from "./sql.ts";
import { streamInto } from "./streams.ts";
import { parted } from "./table-of-contents.ts";
import { awaken, quieten } from "./triggers.ts";

/** Said of the stream, which is ours. */
const finishedWord = "lockkeeper: schema finished";

const args = z.strictObject({ database, of: rollout.optional() });
type Args = z.infer<typeof args>;

const loaded = z.object({
  /** An empty database that somebody else has made. */
  wasThere: z.boolean(),
  before: z.boolean(),
  after: z.boolean(),
  /** Of the server on which it was made: one that is made anew on the same port has others. */
  systemId: z.string(),
  /** In pg_database, once it is made: one of the same name that came later has another. */
  oid: z.string().optional(),
});

export function schemaVerbs(means: Means): readonly Verb[] {
  return [
    verb({
      name: "postgresql.load-schema",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => loadBefore(context, means, given)),
      probe: (context, given) =>
        probeOf(async () =>
          (await markFor(context, given).read())?.before === true ? [] : [given.database],
        ),
    }),
    verb({
      name: "postgresql.finish-schema",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => loadAfter(context, means, given)),
      probe: (context, given) =>
        probeOf(async () => ((await markFor(context, given).read())?.after === true ? [] : [given.database])),
    }),
    verb({
      name: "postgresql.drop-loaded",
      class: "reversible",
      args,
      run: (context, given) => resultOf(() => drop(context, means, given)),
      probe: (context, given) =>
        probeOf(async () => ((await markFor(context, given).read()) === undefined ? [] : [given.database])),
    }),
  ];
}

function markFor(context: StepContext, given: Args) {
  const owner = { host: context.host, rollout: ownerOf(context, given) };
  return markOf(owner, `schema-${slug(given.database)}`, loaded);
}

/** Indexes, foreign keys and triggers are there, and whatever comes now comes whole. */
export async function isSchemaFinished(context: StepContext, name: string): Promise<boolean> {
  return (await markFor(context, { database: name }).read())?.after === true;
}

interface Dump {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

/** The lists of both parts, beside each other in a folder of this rollout. */
async function dumpOf(context: StepContext, means: Means, name: string): Promise<Dump> {
  const file = await fetched(context, `schema-${slug(name)}`);
  const known = z
    .array(z.string())
    .parse(JSON.parse(await readFile(await fetched(context, `identities-${slug(name)}`), "utf8")));
  const folder = join(markFolder(context), "lists");
  await makeFolderDurably(folder);
  const all = join(folder, `${slug(name)}.all`);
  // without --create the list leaves out what is said and granted of the database itself
  await client(context, means, "pg_restore", ["-l", "--create", "-f", all, file]);
  const parts = parted(await readFile(all, "utf8"), known);
  const [before, after] = [join(folder, `${slug(name)}.before`), join(folder, `${slug(name)}.after`)];
  await writeFile(before, parts.before);
  await writeFile(after, parts.after);
  return { file, before, after };
}

/** What tells this database from another one of its name; `oid` is absent where there is none. */
async function born(
  context: StepContext,
  means: Means,
  name: string,
): Promise<{ readonly systemId: string; readonly oid?: string }> {
  const [row] = await ask(context, means, (sql) =>
    sql.rows(
      `SELECT system_identifier::text AS system, (SELECT oid::text FROM pg_database WHERE datname = $1) AS oid
         FROM pg_control_system()`,
      [name],
    ),
  );
  const oid = row?.["oid"] ?? undefined;
  return { systemId: row?.["system"] ?? "", ...(oid === undefined ? {} : { oid }) };
}

async function isHere(context: StepContext, means: Means, name: string): Promise<boolean> {
  return (await born(context, means, name)).oid !== undefined;
}

async function loadBefore(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const { database: name } = given;
  const mark = markFor(context, given);
  const known = await mark.read();
  const there = await isHere(context, means, name);
  // what an earlier try has made of it by halves goes; what somebody else has made stays, and must be empty
  if (known !== undefined && !known.wasThere && there) await dropOwn(context, means, name, known);
  const wasThere = known?.wasThere ?? there;
  const ofExtensions = await fetched(context, `extension-tables-${slug(name)}`);
  if (wasThere) {
    await mustBeEmpty(context, means, name);
    await ask(context, means, (sql) => mustHaveNone(sql, ofExtensions), { database: name });
  }
  const { systemId } = await born(context, means, name);
  await mark.write({ wasThere, before: false, after: false, systemId });
  const { file, before } = await dumpOf(context, means, name);
  const script = await scriptOf(context, means, { file, list: before, create: !wasThere });
  const into = connection(wasThere ? name : means.settings.maintenanceDatabase);
  await play(context, means, { scripts: [script], into, whole: wasThere });
  await adoptIdentities(context, name);
  // filled by what was just loaded: in a database that was there before, too
  const emptied = await ask(context, means, (sql) => emptyExtensionTables(sql, ofExtensions), {
    database: name,
  });
  const { oid } = await born(context, means, name);
  await mark.write({ wasThere, before: true, after: false, systemId, ...(oid === undefined ? {} : { oid }) });
  return done({ database: name, ...(emptied === 0 ? {} : { emptied: String(emptied) }) });
}

async function mustBeEmpty(context: StepContext, means: Means, name: string): Promise<void> {
  const first = await firstIn(context, means, name);
  if (first !== undefined) stop("postgresql.target-not-empty", { database: name, first });
}

/** Of what somebody has made in a database; an extension's own objects are none. */
async function firstIn(context: StepContext, means: Means, name: string): Promise<string | undefined> {
  const [first] = await ask(
    context,
    means,
    (sql) =>
      sql.rows(`SELECT quote_ident(nspname) || '.' || quote_ident(relname) AS name
                  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                 WHERE c.oid >= 16384 AND c.relkind NOT IN ('i', 'I') AND nspname !~ '^pg_' AND nspname <> 'information_schema'
                   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
                UNION ALL SELECT 'large object ' || oid FROM pg_largeobject_metadata LIMIT 1`),
    { database: name },
  );
  return first === undefined ? undefined : (first["name"] ?? "");
}

/** Nothing is applied meanwhile: a foreign key and a row that wants in would wait for each other. */
async function loadAfter(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const { database: name } = given;
  const mark = markFor(context, given);
  const known = await mark.read();
  if (known?.before !== true) return stop("postgresql.schema-not-loaded", { database: name });
  const { file, after } = await dumpOf(context, means, name);
  const inDatabase = <T>(work: (sql: Sql) => Promise<T>) => ask(context, means, work, { database: name });
  const stream = await inDatabase((sql) => streamInto(sql, ownerOf(context, given)));
  await inDatabase((sql) => stream.pause(context, sql));
  if ((await inDatabase((sql) => stream.said(sql))) !== finishedWord) {
    const scripts = await lateScripts(context, means, name, { file, list: after });
    const last = `${after}.last.sql`;
    // in the same transaction as all the rest: a second try finds the whole of it or nothing
    await writeFile(last, stream.saying(finishedWord));
    await play(context, means, { scripts: [...scripts, last], into: connection(name), whole: true });
  }
  const quiet = await quieten(context, means, { database: name, rollout: ownerOf(context, given) });
  await inDatabase((sql) => stream.resume(sql));
  await mark.write({ ...known, after: true });
  return done({ database: name, ...(quiet === 0 ? {} : { triggers: String(quiet) }) });
}

/** Stops at a database that is not the one of the mark, and at a server that takes writes: somebody's rows may be there. */
async function dropOwn(
  context: StepContext,
  means: Means,
  database: string,
  { systemId, oid }: z.infer<typeof loaded>,
): Promise<void> {
  const now = await born(context, means, database);
  if (now.systemId !== systemId || (oid !== undefined && now.oid !== oid))
    stop("postgresql.database-not-ours", { database });
  if (await takesWrites(context, means)) stop("postgresql.database-opened", { database });
  await dropDatabase(context, means, database);
}

async function dropDatabase(context: StepContext, means: Means, name: string): Promise<void> {
  await ask(context, means, async (sql) => {
    // one whose DROP was interrupted lets nobody in, and cannot be altered
    if (
      (await sql.rows("SELECT FROM pg_database WHERE datname = $1 AND datconnlimit >= -1", [name])).length > 0
    )
      await sql.run(`ALTER DATABASE ${quoted(name)} CONNECTION LIMIT 0`);
    await sql.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name]);
    await sql.run(`DROP DATABASE ${quoted(name)}`);
  });
}

/**
 * Only what this rollout has made. A database that was there before loses what was loaded into it by a person's hand, and is let go of
 * once it is empty again, or gone.
 */
async function drop(context: StepContext, means: Means, given: Args): Promise<StepResult> {
  const mark = markFor(context, given);
  const known = await mark.read();
  if (known === undefined) return done({ found: "never loaded by this rollout" });
  await awaken(context, means, {
    database: given.database,
    rollout: ownerOf(context, given),
    onlyForget: true,
  });
  const there = await isHere(context, means, given.database);
  if (known.wasThere) {
    const first = there ? await firstIn(context, means, given.database) : undefined;
    if (first !== undefined) stop("postgresql.database-was-there", { database: given.database, first });
  } else if (there) await dropOwn(context, means, given.database, known);
  await mark.remove();
  return done({ database: given.database });
}
