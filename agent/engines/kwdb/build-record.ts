/**
 * What a rollout has found before it changed a build from source: every file of it, and how it was started. A build that
 * was put aside is proven by it, since nobody else says which files it should have; a way back makes that start again.
 */
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import { unknownFormat } from "#proto/common/format.ts";
import { makeFolderDurably, writeFileDurably } from "../../host/file-runner.ts";
import type { Host } from "../../verb.ts";
import { notedAside } from "./build-aside.ts";
import { causeOf, isThere } from "./files.ts";
import { startSchema } from "./start.ts";

export const buildRecordFormat = 1;

const recordSchema = z.strictObject({
  format: z.literal(buildRecordFormat),
  rollout: z.string(),
  /** The operator's unit; null: a process of its own. */
  unit: z.string().nullable(),
  folder: z.string(),
  /** ISO 8601, the host's clock. */
  keptAt: z.string(),
  start: startSchema,
  /** As `kwbase version` told it; empty where it did not. */
  version: z.string(),
  /** sha256 by path from the folder. */
  files: z.record(z.string(), z.string()),
});
export type BuildRecord = z.infer<typeof recordSchema>;

const keepCount = 8;
const fileName = /^kept-([\w-]+)\.json$/;

function folderOf({ stateDir }: Host): string {
  return join(stateDir, "program");
}

function fileOf(host: Host, rollout: string): string {
  return join(folderOf(host), `kept-${rollout.replace(/[^\w-]/g, "_")}.json`);
}

/** Only for the agent's own user: an environment may hold secrets. */
export async function writeBuildRecord(host: Host, record: Omit<BuildRecord, "format">): Promise<void> {
  await makeFolderDurably(folderOf(host));
  await writeFileDurably(fileOf(host, record.rollout), buildRecordText(record));
  await forgetOld(host);
}

export function buildRecordText(record: Omit<BuildRecord, "format">): string {
  return `${JSON.stringify({ format: buildRecordFormat, ...record })}\n`;
}

/** Refused: `kwdb.build-not-recorded`, `kwdb.build-record-format`. */
export async function readBuildRecord(host: Host, rollout: string): Promise<Outcome<BuildRecord>> {
  const path = fileOf(host, rollout);
  try {
    const read = parseBuildRecord(JSON.parse(await readFile(path, "utf8")), rollout);
    return read.ok && read.value.rollout !== rollout
      ? fail("kwdb.build-not-recorded", { rollout, cause: `it is of ${read.value.rollout}` })
      : read;
  } catch (error) {
    return fail("kwdb.build-not-recorded", { rollout, cause: causeOf(error) });
  }
}

/** By its number first. */
export function parseBuildRecord(kept: unknown, rollout = "?"): Outcome<BuildRecord> {
  const newer = unknownFormat(kept, buildRecordFormat);
  if (newer !== undefined) return fail("kwdb.build-record-format", newer);
  const read = recordSchema.safeParse(kept);
  return read.success
    ? succeed(read.data)
    : fail("kwdb.build-not-recorded", { rollout, cause: read.error.message.split(/\s+/).join(" ") });
}

/** Rollouts of which there is a record. */
export async function recordedRollouts(host: Host): Promise<string[]> {
  const names = await readdir(folderOf(host)).catch(() => []);
  return names.flatMap((name) => fileName.exec(name)?.[1] ?? []).sort();
}

/** Those written longest ago, but none whose build still stands aside: nobody else could prove that one. */
async function forgetOld(host: Host): Promise<void> {
  const files = (await readdir(folderOf(host)))
    .filter((name) => fileName.test(name))
    .map((name) => join(folderOf(host), name));
  const aged = await Promise.all(files.map(async (file) => ({ file, atMs: (await stat(file)).mtimeMs })));
  const old = aged.sort((left, right) => right.atMs - left.atMs).slice(keepCount);
  const aside = await notedAside(host);
  for (const { file } of old) if (!(await stillProves(file, aside))) await rm(file, { force: true });
}

async function stillProves(file: string, aside: ReadonlySet<string>): Promise<boolean> {
  const [, rollout = ""] = fileName.exec(basename(file)) ?? [];
  const builds = [...aside].filter((build) => build.replace(/[^\w-]/g, "_").endsWith(`-${rollout}`));
  return (await Promise.all(builds.map(isThere))).includes(true);
}
