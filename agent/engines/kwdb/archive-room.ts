/** Whether a folder for archives has room, in bytes and in files. */
import { statfs } from "node:fs/promises";
import { type Failure, failure } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { causeOf } from "./files.ts";

export interface Wanted {
  readonly wantedBytes: number;
  /** Files that will be made. */
  readonly entries?: number;
  /** What an earlier life of this step has taken already. */
  readonly ownBytes?: number;
}

/** `kwdb.archive-no-room`, `kwdb.archive-no-inodes`, `file.unreadable`; undefined where there is room. */
export async function whyNoRoomIn(
  host: Host,
  folder: string,
  { wantedBytes, entries = 0, ownBytes = 0 }: Wanted,
): Promise<Failure | undefined> {
  try {
    const { bavail, bsize, ffree, files } = await statfs(host.path(folder));
    const free = bavail * bsize;
    if (free + ownBytes <= wantedBytes)
      return failure("kwdb.archive-no-room", { folder, free: String(free), wanted: String(wantedBytes) });
    // a file system that counts no files says 0 of 0
    if (files > 0 && ffree <= entries)
      return failure("kwdb.archive-no-inodes", { folder, free: String(ffree), wanted: String(entries) });
    return undefined;
  } catch (error) {
    return failure("file.unreadable", { path: folder, cause: causeOf(error) });
  }
}
