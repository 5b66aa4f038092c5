/** A dump of what replication does not carry as scripts for psql, which may be run again after a half: they begin with an empty place. */
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { StepContext } from "../../../verb.ts";
import { client } from "../client-tools.ts";
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

/** Far more than the head of a dump. */
const headBytes = 16_384;

/** Never changed in its place: a psql of before this agent's restart may read it still. */
export async function writeScript(
  context: StepContext,
  means: Means,
  { dump, script }: { readonly dump: string; readonly script: string },
): Promise<void> {
  // it stays beside the script: once this agent was restarted, pg_restore is not run again
  const whole = `${script}.whole`;
  await client(context, means, "pg_restore", ["--data-only", "-f", whole, dump]);
  const unknown = await unknownSettings(context, means);
  const beside = `${script}.part`;
  const head = headOf(await firstOf(whole));
  await writeFile(beside, withoutSettings(head, unknown), { mode: 0o600 });
  await pipeline(
    createReadStream(whole, { start: Buffer.byteLength(head) }),
    createWriteStream(beside, { flags: "a" }),
  );
  await rename(beside, script);
}

async function firstOf(file: string): Promise<string> {
  const source = await open(file, "r");
  try {
    const { bytesRead, buffer } = await source.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await source.close();
  }
}
