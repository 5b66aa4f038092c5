/** Folders that are taken for a new server, and given back as they were: what was in one before is nobody's to remove. */
import { chmod, chown, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolders } from "#proto/common/make-folders.ts";
import { syncFolder } from "../../../host/file-runner.ts";
import type { Host } from "../../../verb.ts";
import { stop } from "../desk.ts";
import { contentOf } from "../on-host/folders.ts";
import { alterNote, type Of, readNote } from "./note.ts";
import type { Account } from "./place.ts";

/** Refused where something is in it that this rollout did not put there: `postgresql.new-data-not-empty`. */
export async function takeFolder(
  of: Of,
  path: string,
  { uid, gid, mode }: Account & { readonly mode: number },
): Promise<void> {
  const { host } = of;
  const folders = (await readNote(of))?.folders ?? [];
  let own = folders.find((each) => each.path === path);
  if (own === undefined) {
    if ((await contentOf(of, path)) > 0) stop("postgresql.new-data-not-empty", { data: path });
    const found = await stat(host.path(path)).catch(() => undefined);
    const before = found === undefined ? null : { uid: found.uid, gid: found.gid, mode: found.mode & 0o7777 };
    own = { path, before, top: before === null ? await highestMissing(host, path) : null };
    await alterNote(of, { folders: [...folders, own] });
  }
  await makeFolders(host.path(path), 0o755);
  const made = own.top === null ? [path] : upTo(path, own.top);
  for (const folder of made) await chown(host.path(folder), uid, gid);
  await chmod(host.path(path), mode);
  await syncFolder(dirname(host.path(made.at(-1) ?? path)));
}

/** True where this rollout had taken it. */
export async function giveBack(of: Of, path: string): Promise<boolean> {
  const { host } = of;
  const folders = (await readNote(of))?.folders ?? [];
  const own = folders.find((each) => each.path === path);
  if (own === undefined) return false;
  await emptyFolder(host, path);
  if (own.before === null) await removeUpTo(host, path, own.top ?? path);
  else {
    await chown(host.path(path), own.before.uid, own.before.gid);
    await chmod(host.path(path), own.before.mode);
  }
  await alterNote(of, { folders: folders.filter((each) => each !== own) });
  return true;
}

/** The folder itself stays: it may be a mount point. */
export async function emptyFolder(host: Host, path: string): Promise<void> {
  const folder = host.path(path);
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (names === undefined) return;
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
  await syncFolder(folder);
}

async function highestMissing(host: Host, path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const above = await stat(host.path(dirname(at))).catch(() => undefined);
    if (above !== undefined || dirname(at) === at) return at;
  }
}

/** From the folder up to the highest, both included. */
function upTo(path: string, top: string): readonly string[] {
  return path === top || path.length < top.length ? [path] : [path, ...upTo(dirname(path), top)];
}

/** Those above it only while they are empty: somebody may have put something beside it. */
async function removeUpTo(host: Host, path: string, top: string): Promise<void> {
  for (const folder of upTo(path, top)) {
    if ((await contentOf({ host }, folder)) > 0) return;
    await rmdir(host.path(folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await syncFolder(dirname(host.path(folder))).catch(() => undefined);
  }
}
