/** A dump of what replication does not carry as scripts for psql, which may be run again after a half: they begin with an empty place. */
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { StepContext } from "../../../verb.ts";
import { headOf, unknownSettings, withoutSettings } from "../schema-script.ts";
import type { Means } from "../settings.ts";

/** One lock for each object until the transaction ends: the server's table of locks is finite. */
const unlinkedAtOnce = 1_000;
/** Ours alone: of the database in which it is taken. */
const lock = "pg_catalog.pg_advisory_lock(hashtext('lockkeeper'), hashtext('unreplicated'))";

/** What goes first: large objects as many as are there, or none where they stay; rows of these tables. */
export interface Cleared {
  readonly objects: number;
  readonly tables: readonly string[];
}

/**
 * For a session of its own, which waits for one of an earlier try to end. As replication does it: no trigger fires but those that
 * always do, no foreign key is asked. Each is a transaction and does not wait for the disk: whoever compares does.
 */
export function clearing({ objects, tables }: Cleared): readonly string[] {
  const some = `SELECT oid AS id FROM pg_catalog.pg_largeobject_metadata LIMIT ${unlinkedAtOnce}`;
  const times = Math.ceil(objects / unlinkedAtOnce);
  return [
    "SET synchronous_commit = off",
    "SET session_replication_role = replica",
    `SELECT ${lock}`,
    ...Array.from({ length: times }, () => `SELECT count(pg_catalog.lo_unlink(id)) FROM (${some}) found`),
    ...tables.map((table) => `DELETE FROM ONLY ${table}`),
  ];
}

/** As a script that begins a session of psql, which has what its database and its role say. */
export function clearingScript(cleared: Cleared): string {
  const all = [
    // no function of a user, and no time but the step's own
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET statement_timeout = 0",
    "SET lock_timeout = 0",
    "SET client_encoding = 'UTF8'",
    ...clearing(cleared),
  ];
  return ["\\o /dev/null", ...all.map((each) => `${each};`), ""].join("\n");
}

/** Far more than the head of a dump, and than its last word. */
const headBytes = 16_384;
const tailBytes = 4_096;
const helpMs = 5_000;

/** Never changed in its place: a psql of before this agent's restart may read it still. */
export async function writeScript(
  context: StepContext,
  means: Means,
  { dump, script }: { readonly dump: string; readonly script: string },
): Promise<void> {
  const whole = `${script}.whole`;
  await pipeline(createReadStream(dump), createGunzip(), createWriteStream(whole, { mode: 0o600 }));
  const unknown = await unknownSettings(context, means);
  const knows = await knowsRestrict(context, means);
  const { size } = await stat(whole);
  const head = headOf(await partOf(whole, 0));
  const tailAt = Math.max(head.length, size - tailBytes);
  const foot = knows ? -1 : (await partOf(whole, tailAt)).lastIndexOf("\n\\unrestrict ");
  const beside = `${script}.part`;
  const lines = withoutSettings(head, unknown);
  await writeFile(beside, Buffer.from(knows ? lines : lines.replace(/^\\restrict .*$/m, ""), "latin1"), {
    mode: 0o600,
  });
  await pipeline(
    createReadStream(whole, {
      start: head.length,
      ...(foot === -1 ? {} : { end: tailAt + foot }),
    }),
    createWriteStream(beside, { flags: "a" }),
  );
  await rename(beside, script);
  await rm(whole, { force: true });
}

/** Of the minor versions since August 2025: until the script's own word it takes no command of psql's out of it. */
async function knowsRestrict({ host }: StepContext, { settings }: Means): Promise<boolean> {
  const psql = host.path(join(settings.tools, "psql"));
  const { stdout } = await host.look([psql, "--help=commands"], { deadlineMs: helpMs });
  return stdout.includes("\\restrict");
}

async function partOf(file: string, position: number): Promise<string> {
  const source = await open(file, "r");
  try {
    const { bytesRead, buffer } = await source.read(Buffer.alloc(headBytes), 0, headBytes, position);
    // a sign of each byte: what is cut within one is none the worse
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await source.close();
  }
}
