/** An export brought to this node, file by file, each proven by its digest, into the folder that the database reads from. */
import { chmod, chown, copyFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Failure, fail, failure, type Outcome, succeed } from "#proto/common/failure.ts";
import { makeFolders } from "#proto/common/make-folders.ts";
import { readMark } from "../../../host/marks.ts";
import { sha256Of } from "../files.ts";
import { freeBytes } from "../space.ts";
import type { Desk } from "./desk.ts";
import { bytesOf, filesBelow, type Manifest, manifestSchema } from "./manifest.ts";

const reserveBytes = 256 * 1024 ** 2;

export async function manifestSent({ context }: Desk, what: string): Promise<Outcome<Manifest>> {
  const found = await context.parcels.find(`manifest/${what}`);
  if (!found.ok) return found;
  if (found.value === undefined) return fail("kwdb.export-not-carried", { what });
  const path = await context.parcels.fetch(found.value.digest);
  if (!path.ok) return path;
  const manifest = await readMark(path.value, manifestSchema);
  return manifest === undefined ? fail("kwdb.export-not-carried", { what }) : succeed(manifest);
}

/** What lies there and is as it was exported stays; what is none of it goes. */
export async function receive(desk: Desk, what: string, manifest: Manifest): Promise<Failure | undefined> {
  const { context, mode } = desk;
  const folder = desk.path(what);
  const owner = await stat(context.host.path(mode.dataRoot));
  await makeOwned(context.host.path(mode.dataRoot), folder, owner);
  const known = new Set(manifest.files.map(({ path }) => path));
  for (const path of await filesBelow(folder)) if (!known.has(path)) await rm(join(folder, path));
  const missing = await missingIn(folder, manifest);
  const why = await whyNoRoom(desk, missing);
  if (why !== undefined) return why;
  let got = 0;
  for (const { path, sha256, bytes } of missing) {
    const fetched = await context.parcels.fetch(sha256);
    if (!fetched.ok) return fetched.failure;
    const to = join(folder, path);
    await makeOwned(folder, dirname(to), owner);
    await place(fetched.value, to, owner);
    // copied between two file systems, maybe: proven where it lies
    if ((await sha256Of(to)) !== sha256) return failure("kwdb.export-changed", { what, file: path });
    got += bytes;
    context.progress({ what, gotBytes: String(got), ofBytes: String(bytesOf(manifest)) });
  }
  return undefined;
}

type Owner = { readonly uid: number; readonly gid: number };

/** Whoever the data belongs to must be able to read it; the agent may be root. */
async function makeOwned(top: string, folder: string, owner: Owner): Promise<void> {
  if (folder.length <= top.length) return;
  await makeOwned(top, dirname(folder), owner);
  const made = await makeFolders(folder, 0o750);
  if (made !== undefined) await give(folder, owner);
}

async function give(path: string, { uid, gid }: Owner): Promise<void> {
  const now = await stat(path);
  if (now.uid !== uid || now.gid !== gid) await chown(path, uid, gid);
}

async function place(from: string, to: string, owner: Owner): Promise<void> {
  const beside = `${to}.part`;
  await rename(from, beside).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EXDEV") throw error;
    await copyFile(from, beside);
    await rm(from);
  });
  await chmod(beside, 0o640);
  await give(beside, owner);
  await rename(beside, to);
}

async function missingIn(folder: string, { files }: Manifest): Promise<Manifest["files"]> {
  const missing: Manifest["files"] = [];
  for (const file of files) {
    const path = join(folder, file.path);
    const size = await stat(path).then(
      (found) => found.size,
      () => undefined,
    );
    if (size !== file.bytes || (await sha256Of(path)) !== file.sha256) missing.push(file);
  }
  return missing;
}

/** The files, and the same again for what the database makes of them. */
async function whyNoRoom(
  { context: { host }, mode }: Desk,
  files: Manifest["files"],
): Promise<Failure | undefined> {
  const wanted = 2 * files.reduce((sum, { bytes }) => sum + bytes, 0) + reserveBytes;
  const free = await freeBytes(host, mode.dataRoot);
  if (!free.ok) return free.failure;
  return files.length === 0 || free.value >= wanted
    ? undefined
    : failure("kwdb.move-no-room", {
        place: mode.dataRoot,
        wanted: String(wanted),
        free: String(free.value),
      });
}
