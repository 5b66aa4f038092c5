/** Room on the host's file systems. */
import { statfs } from "node:fs/promises";
import { fail, type Outcome, succeed } from "#proto/common/failure.ts";
import type { Host } from "../../verb.ts";
import { causeOf } from "./files.ts";

/** A step waits for as long as a large folder needs; a report does not. */
export const stepLookMs = 10 * 60_000;

/** Bytes that are left for everybody, without the reserve of root. */
export async function freeBytes(host: Host, hostPath: string): Promise<Outcome<number>> {
  try {
    const { bavail, bsize } = await statfs(host.path(hostPath));
    return succeed(bavail * bsize);
  } catch (error) {
    return fail("file.unreadable", { path: hostPath, cause: causeOf(error) });
  }
}

/** What a folder holds on its own file system. `deadlineMs`: a step may wait longer than a report. Refused: `look.failed`. */
export async function usedBytes(host: Host, hostPath: string, deadlineMs = 15_000): Promise<Outcome<number>> {
  const look = await host.look(["du", "-sx", "--block-size=1", host.path(hostPath)], { deadlineMs });
  const bytes = Number(/^(\d+)\s/.exec(look.stdout)?.[1]);
  return look.timedOut || !Number.isInteger(bytes)
    ? fail("look.failed", { what: `du ${hostPath}` })
    : succeed(bytes);
}
