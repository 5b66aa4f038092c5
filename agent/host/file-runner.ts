/**
 * Changes of files as steps: write beside, fsync, rename, fsync the folder. A crash at any moment leaves the
 * old file or the new one, so the probe of such a step can always say which.
 */
import { randomBytes } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "#proto/common/make-folders.ts";

/** Of an account that reads the file; absent: of this process. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Owner and mode are there before the name is: whoever finds the file by its name can read it, or could never. */
export async function writeFileDurably(
  path: string,
  content: Uint8Array | string,
  mode = 0o600,
  owner?: FileOwner,
): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString("hex")}.new`;
  const file = await open(beside, "wx", 0o600);
  try {
    await file.writeFile(content);
    if (owner !== undefined) await file.chown(owner.uid, owner.gid);
    await file.chmod(mode);
    await file.sync();
    await file.close();
    await rename(beside, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the folder's own entries (created, renamed, removed names) durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates what is missing of the path, each new name durable in its parent. */
export async function makeFolderDurably(folder: string, mode = 0o700): Promise<void> {
  const first = await makeFolders(folder, mode);
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
