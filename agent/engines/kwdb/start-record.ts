/**
 * The start that is to be made again, durably in the agent's folder before anything stops. After a stop it is all
 * that is known of how the database was started, and of where its data is.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import { causeOf } from "./files.ts";
import { startSchema } from "./start.ts";

export const startRecordFormat = 1;

const recordSchema = z.strictObject({
  format: z.literal(startRecordFormat),
  /** The operator's unit; null: a process of its own. */
  unit: z.string().nullable(),
  folder: z.string(),
  /** ISO 8601, the host's clock. */
  keptAt: z.string(),
  start: startSchema,
});
export type StartRecord = z.infer<typeof recordSchema>;

function folderOf({ stateDir }: Host): string {
  return join(stateDir, "program");
}

function recordFile(host: Host): string {
  return join(folderOf(host), "start.json");
}

/** NAME=VALUE, each ended by a zero byte: for a start without systemd. */
export function environmentFile(host: Host): string {
  return join(folderOf(host), "environment");
}

/** The same, as systemd reads it. */
export function unitEnvironmentFile(host: Host): string {
  return join(folderOf(host), "environment.systemd");
}

/** Only for the agent's own user: an environment may hold secrets. */
export async function keepStart(host: Host, kept: Omit<StartRecord, "format">): Promise<void> {
  await makeFolderDurably(folderOf(host));
  const { environment } = kept.start;
  await writeFileDurably(environmentFile(host), environment.map((each) => `${each}\0`).join(""));
  await writeFileDurably(unitEnvironmentFile(host), environment.flatMap(systemdLine).join(""));
  await writeFileDurably(recordFile(host), startRecordText(kept));
}

export function startRecordText(kept: Omit<StartRecord, "format">): string {
  return `${JSON.stringify({ format: startRecordFormat, ...kept })}\n`;
}

/** Refused: `kwdb.start-not-kept`, and as `parseStartRecord`. */
export async function keptStart(host: Host): Promise<Outcome<StartRecord>> {
  const path = recordFile(host);
  try {
    return parseStartRecord(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    return fail("kwdb.start-not-kept", { path, cause: causeOf(error) });
  }
}

/** By its number first. Refused: `kwdb.start-record-format`, `kwdb.start-not-kept`. */
export function parseStartRecord(kept: unknown): Outcome<StartRecord> {
  const newer = unknownFormat(kept, startRecordFormat);
  if (newer !== undefined) return fail("kwdb.start-record-format", newer);
  const read = recordSchema.safeParse(kept);
  return read.success
    ? succeed(read.data)
    : fail("kwdb.start-not-kept", { path: "start.json", cause: oneLine(read.error.message) });
}

function oneLine(text: string): string {
  return text.split(/\s+/).join(" ");
}

/** systemd.exec(5): in double quotes these are escaped, and nothing is expanded; names that are none are left out. */
function systemdLine(entry: string): readonly string[] {
  const at = entry.indexOf("=");
  const name = entry.slice(0, at);
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return [];
  return [`${name}="${entry.slice(at + 1).replace(/["\\`$]/g, "\\$&")}"\n`];
}
