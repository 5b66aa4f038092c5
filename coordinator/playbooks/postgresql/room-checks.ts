/** Room on disk: for the copy on the target, and for the WAL that the source keeps while it is being made. */
import { failure } from "#proto/common/failure.ts";
import type { Measured } from "#proto/common/measured.ts";
import type { FileSystem } from "#proto/common/report.ts";
import type { Pair, PairCheck } from "./pair.ts";
import { judge } from "./result.ts";
import type { Side } from "./sides.ts";

/** Of what the databases take on the source: indexes are built anew, and WAL is written for all of it. */
const copyTimes = 1.2;
/** Of the same, a guess: what is written there while the copy is made is known to nobody beforehand. */
const walTimes = 0.25;

const targetRoom: PairCheck = (pair) => {
  const wanted = copyTimes * bytesOf(pair);
  return judge({ id: "target-room", yields: "override" }, roomAt(pair.target), ({ path, availableBytes }) => [
    availableBytes >= wanted ? "ok" : "ko",
    { path, free: mebibytes(availableBytes), wanted: mebibytes(wanted), cluster: pair.target.cluster },
  ]);
};

/**
 * By the same measurement as the watch on it, which would give the replication up at once where that disk is so full already: WAL
 * may lie on one of its own.
 */
const sourceRoom: PairCheck = (pair) => {
  const limit = pair.settings.giveUpAtPercent;
  const wanted = walTimes * bytesOf(pair);
  const path = `${pair.source.server.dataDirectory}/pg_wal`;
  return judge({ id: "source-room" }, pair.source.facts.walRoom, ({ usedPercent, freeBytes }) => [
    usedPercent >= limit ? "ko" : freeBytes < wanted ? "warn" : "ok",
    {
      path,
      percent: String(Math.ceil(usedPercent)),
      limit: String(limit),
      free: mebibytes(freeBytes),
      wanted: mebibytes(wanted),
    },
  ]);
};

export const roomChecks: readonly PairCheck[] = [sourceRoom, targetRoom];

function bytesOf({ databases }: Pair): number {
  return databases.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function roomAt({ report, server: { dataDirectory: folder } }: Side): Measured<FileSystem> {
  const { fileSystems } = report.host;
  if (!("value" in fileSystems)) return fileSystems;
  const found = fileSystems.value.find(({ path }) => path === folder);
  if (found !== undefined) return { at: fileSystems.at, value: found };
  return { at: fileSystems.at, unknown: failure("postgresql.folder-not-measured", { folder }) };
}

function mebibytes(bytes: number): string {
  return String(Math.floor(bytes / 1024 ** 2));
}
